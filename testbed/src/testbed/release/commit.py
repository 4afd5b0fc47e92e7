"""The commit that is released."""

import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomllib
import yaml
from mlflowops import shell
from mlflowops.errors import OpsError

# Where packaged charts are kept: the one thing that a release changes in the clone.
RELEASED = "tests/e2e/released"


@dataclass(frozen=True)
class Source:
    """A commit without changes beside it, and the version that it releases."""

    repository: Path
    version: str
    commit: str
    date: int
    """When it was committed, in seconds since 1970: the date of all files of the release."""
    changes: str
    """The section of CHANGELOG.md."""

    @property
    def tag(self) -> str:
        """The git tag of the release."""
        return f"v{self.version}"

    @contextmanager
    def files(self) -> Iterator[Path]:
        """Unpack the files of the commit into a folder, which is removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="mlflow-release-") as folder:
            archive, target = Path(folder, "source.tar"), Path(folder, "source")
            git(self.repository, "archive", "--output", str(archive), self.commit)
            with tarfile.open(archive) as tar:
                tar.extractall(target, filter="data")
            yield target


def read(repository: Path) -> Source:
    """Read what a repository releases.

    Args:
        repository: its folder.

    Raises:
        OpsError: there are changes, the files disagree about the version, or the tag is at another commit.
    """
    if git(repository, "status", "--porcelain", "--", ".", f":!{RELEASED}"):
        raise OpsError("release", "there are changes", "commit them first")
    version = str(yaml.safe_load((repository / "charts/mlflow/Chart.yaml").read_text())["version"])
    wheel = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["version"]
    if wheel != version:
        raise OpsError(
            "release", f"pyproject.toml has version {wheel}, Chart.yaml {version}", "set one version"
        )
    commit, date = git(repository, "log", "-1", "--format=%H %ct").split()
    source = Source(repository, version, commit, int(date), _changes(repository, version))
    tagged = git(
        repository, "for-each-ref", f"refs/tags/{source.tag}", "--format=%(*objectname)%(objectname)"
    )
    if tagged and not tagged.startswith(commit):
        wrong = f"it is at commit {tagged[:10]}, not at this one"
        raise OpsError(f"tag {source.tag}", wrong, "raise version in Chart.yaml and pyproject.toml")
    return source


def git(repository: Path, *words: str) -> str:
    """Run git and return what it printed."""
    return shell.run(["git", "-C", repository, *words]).stdout.strip()


def _changes(repository: Path, version: str) -> str:
    text = (repository / "CHANGELOG.md").read_text()
    found = re.search(rf"(?ms)^## {re.escape(version)} - [^\n]*\n(.*?)(?=^## |\Z)", text)
    if not found or not found[1].strip():
        instead = f"write '## {version} - <date>' for '## Unreleased', over what has changed"
        raise OpsError("CHANGELOG.md", f"there is no section of version {version}", instead)
    return found[1].strip()
