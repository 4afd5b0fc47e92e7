"""What is listed: by an image itself, and by an SBOM."""

import json
import re
import tarfile
from pathlib import Path


def names(sbom: Path) -> dict[str, str]:
    """Name and version of each package that has an address of its own."""
    components = json.loads(sbom.read_text())["components"]
    return {each["name"].lower(): each.get("version", "") for each in components if "purl" in each}


def debian_packages(archive: Path) -> dict[str, str]:
    """Name and version of each package in the list of an image."""
    found = {}
    with tarfile.open(archive) as outer:
        (manifest,) = json.load(outer.extractfile("manifest.json"))  # type: ignore[arg-type]
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=outer.extractfile(layer)) as inner:
                for member in inner:
                    if "var/lib/dpkg/status.d/" in member.name and member.isfile():
                        text = inner.extractfile(member).read().decode()  # type: ignore[union-attr]
                        fields = dict(re.findall(r"(?m)^(Package|Version): (\S+)$", text))
                        found[fields["Package"]] = fields["Version"]
    return found
