"""A clone of this repository whose next version is ready to be released, and a registry on this machine."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import requests
from runtime.network import free_port

from testbed import tools
from testbed.images import recipes

VERSION = "9.9.9"
# The smallest of our images: what a release does is the same for each.
IMAGE = "postgres"
TAG = f"{recipes.recipe(IMAGE).tag}-{VERSION}"
FILES = [
    "SHA256SUMS",
    "SHA256SUMS.sigstore.json",
    "cosign.pub",
    f"mlflow-{VERSION}.tgz",
    f"mlflow-{VERSION}.tgz.provenance.sigstore.json",
    f"mlflowops-{VERSION}-py3-none-any.whl",
    f"mlflowops-{VERSION}-py3-none-any.whl.provenance.sigstore.json",
    f"mlflowops-{VERSION}.cdx.json",
    "notes.md",
    "provenance.json",
]
SETTINGS = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}}}
http:
  addr: 127.0.0.1:{port}
"""


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run an empty registry; its address is what a release publishes to."""
    port = free_port()
    settings = folder / "registry.yaml"
    settings.write_text(SETTINGS.format(folder=folder / "registry", port=port))
    command = [tools.ensure("registry"), "serve", settings]
    with (
        (folder / "registry.log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as running,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/v2/", running)
            yield f"127.0.0.1:{port}/charts"
        finally:
            running.terminate()


def _wait(url: str, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(url, timeout=5).raise_for_status()
        except requests.ConnectionError:
            assert running.poll() is None and time.monotonic() < deadline, "the registry does not start"
            time.sleep(0.1)
        else:
            return


@dataclass(frozen=True)
class Clone:
    """A clone of this repository, or of another clone of it."""

    folder: Path
    version: str = VERSION

    @classmethod
    def of(cls, origin: Path, folder: Path) -> Self:
        """Clone a repository."""
        subprocess.run(["git", "clone", "--quiet", "--shared", origin, folder], check=True)
        return cls(folder)

    def prepare(self) -> None:
        """Do by hand what docs/release.md asks for before `make release`."""
        for name in ("charts/mlflow/Chart.yaml", "pyproject.toml"):
            self.change(name, r'(?m)^(version(?:: | = "))[\d.]+', rf"\g<1>{self.version}")
        section = f"## Unreleased\n\n## {self.version} - 2026-01-01\n\n### Added\n- What a rehearsal adds.\n"
        self.change("CHANGELOG.md", "## Unreleased\n", section)
        self.commit()

    @property
    def dist(self) -> Path:
        """Where the files of the release are."""
        return self.folder / "dist" / self.version

    def change(self, name: str, pattern: str, new: str) -> None:
        """Replace the first place of a file at which a pattern is."""
        text, count = re.subn(pattern, new, (self.folder / name).read_text(), count=1)
        assert count == 1, name
        (self.folder / name).write_text(text)

    def commit(self) -> None:
        """Commit all changes."""
        self.git("add", "--all")
        who = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com"]
        self.git(*who, "commit", "--quiet", "--message", "Change something")

    def git(self, *words: str) -> str:
        """Run git in the clone."""
        command = ["git", "-C", str(self.folder), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def release(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `testbed release` for the clone."""
        command = [sys.executable, "-m", "testbed", "release", *words, "--repository", str(self.folder)]
        names = {
            f"GIT_{who}_{what}": "rehearsal@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | names)
