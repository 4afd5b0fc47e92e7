"""An OCI registry: what it has, and what is added to it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflowops import shell
from mlflowops.errors import OpsError

from testbed import tools

ABSENT = re.compile(r"MANIFEST_UNKNOWN|NAME_UNKNOWN|NOT_FOUND|404 Not Found")
# A registry on this machine, for rehearsals: crane and cosign take it without TLS unasked, Helm does not.
NEAR = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?/")


@dataclass(frozen=True)
class Registry:
    """A place in a registry, such as `ghcr.io/owner`, below which all repositories are."""

    address: str

    @property
    def chart(self) -> str:
        """The repository of the chart."""
        return f"{self.address}/mlflow"

    def image(self, name: str) -> str:
        """Return the repository of an image."""
        return f"{self.address}/images/{name}"

    def push_chart(self, archive: Path) -> None:
        """Push a packaged chart; Helm takes name and tag from it."""
        plain = ["--plain-http"] if NEAR.match(f"{self.address}/") else []
        shell.run([tools.ensure("helm"), "push", archive, f"oci://{self.address}", *plain])


def digest(reference: str) -> str | None:
    """Return the digest of a tag, or None if there is no such tag."""
    asked = crane("digest", reference, check=False)
    if asked.returncode == 0:
        return str(asked.stdout.strip())
    if ABSENT.search(asked.stderr):
        return None
    wrong = f"the registry does not answer: {asked.stderr.strip()}"
    raise OpsError(reference, wrong, "correct the address, or log in with `crane auth login`")


def manifest(reference: str) -> Any:
    """Return the manifest of a tag."""
    return json.loads(crane("manifest", reference).stdout)


def config(reference: str) -> Any:
    """Return the settings of an image."""
    return json.loads(crane("config", reference).stdout)


def push(archive: Path, reference: str) -> None:
    """Push an image, as `docker save` writes it, to a tag."""
    crane("push", str(archive), reference)


def join(parts: list[str], reference: str) -> None:
    """Make a tag that means the image of each processor type; `parts` are their references by digest."""
    manifests = [word for part in parts for word in ("--manifest", part)]
    crane("index", "append", *manifests, "--tag", reference)


def crane(*words: str, check: bool = True) -> Any:
    """Run crane."""
    return shell.run([tools.ensure("crane"), *words], check=check)
