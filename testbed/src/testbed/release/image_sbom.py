"""The CycloneDX list of what is in an image: Debian's packages, Python's, and Go programs."""

import json
from datetime import datetime, timezone
from pathlib import Path

from mlflowops import shell

from testbed import tools
from testbed.release.identity import serial_number, sha256

QUIET = {"SYFT_CHECK_FOR_APP_UPDATE": "false"}


def write(archive: Path, name: str, version: str, date: int) -> str:
    """List the packages of an image.

    Args:
        archive: the image, as `docker save` writes it.
        name: what the list calls the image.
        version: its tag in the registry.
        date: the date of the list, in seconds since 1970.

    Returns:
        CycloneDX 1.6 as JSON. The same input gives the same text.
    """
    scan = ["scan", f"docker-archive:{archive}", "--output", "cyclonedx-json"]
    text = shell.run(
        [tools.ensure("syft"), *scan, "--source-name", name, "--source-version", version], env=QUIET
    ).stdout
    found = json.loads(text)
    found["serialNumber"] = serial_number(sha256(archive)).urn
    found["metadata"]["timestamp"] = datetime.fromtimestamp(date, timezone.utc).isoformat()
    return json.dumps(found, indent=2) + "\n"
