"""One release, built and published to a registry on this machine."""

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflowops.paths import REPO

from release.commands import contents
from release.rehearsal import IMAGE, TAG, Clone, registry
from testbed import images, tools


@dataclass(frozen=True)
class Rehearsal:
    """What was released, where, and with which key."""

    clone: Clone
    registry: str
    key: Path

    def image(self, tag: str = f"{TAG}-amd64") -> str:
        """The image in the registry."""
        return f"{self.registry}/images/{IMAGE}:{tag}"

    def published(self) -> dict[str, str]:
        """Every file of the registry (tags, manifests, layers), and its digest."""
        return contents(self.key.parent / "registry")

    def run(self) -> list["subprocess.CompletedProcess[str]"]:
        """Type what `make release REGISTRY=... KEY=...` types."""
        steps = [
            ["build"],
            ["images", "--image", IMAGE],
            ["keep"],
            ["publish", self.registry, "--key", str(self.key)],
        ]
        return [self.clone.release(*step) for step in steps]


def make_key(folder: Path) -> Path:
    """A key pair of cosign; the password is in COSIGN_PASSWORD."""
    subprocess.run([tools.ensure("cosign"), "generate-key-pair"], cwd=folder, check=True, capture_output=True)
    return folder / "cosign.key"


@pytest.fixture(scope="package")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    for name in ("helm", "crane", "cosign", "syft", "registry"):
        tools.ensure(name)
    images.build([IMAGE])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COSIGN_PASSWORD", secrets.token_urlsafe())
        # A program that wants to reach another machine fails at once.
        environment.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        folder = tmp_path_factory.mktemp("release")
        with registry(folder) as address:
            clone = Clone.of(REPO, folder / "clone")
            clone.prepare()
            found = Rehearsal(clone, address, make_key(folder))
            for done in found.run():
                assert done.returncode == 0, done.stderr
            yield found
