"""Writes another version of MLflow wherever the present one stands: `make mlflow VERSION=3.18.0`."""

import re
import sys
from pathlib import Path

import yaml
from mlflowops.errors import OpsError

from testbed import paths
from testbed.release.commit import git

# Measurements and decisions name the version that they were made with.
HISTORY = [
    "CHANGELOG.md",
    "benchmarks",
    "docs/adr",
    "docs/performance.md",
    "docs/soak.md",
    "docs/upstream",
    "tests/e2e/released",
]


def present(repository: Path) -> str:
    """Return the version of MLflow that the chart has."""
    return str(yaml.safe_load((repository / "charts/mlflow/Chart.yaml").read_text())["appVersion"])


def places(repository: Path) -> dict[str, int]:
    """Return each file in git that has the present version, and how often; not the files of HISTORY."""
    version = present(repository)
    without = [f":!{each}" for each in HISTORY]
    lines = git(repository, "grep", "-I", "--fixed-strings", version, "--", *without).splitlines()
    found: dict[str, int] = {}
    for path, text in (line.split(":", 1) for line in lines):
        found[path] = found.get(path, 0) + len(_whole(version).findall(text))
    return {path: number for path, number in found.items() if number}


def write(repository: Path, new: str) -> list[str]:
    """Write a new version in place of the present one.

    Args:
        repository: the clone.
        new: the version, such as 3.18.0.

    Returns:
        The files that were changed. Lock files are not: `make lock` writes those.

    Raises:
        OpsError: `new` is no version.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", new):
        raise OpsError("VERSION", f"{new!r} is not a version of MLflow", "set one such as 3.18.0")
    old = _whole(present(repository))
    changed = [path for path in places(repository) if not path.endswith(".lock")]
    for path in changed:
        file = repository / path
        file.write_text(old.sub(new, file.read_text()))
    return changed


def _whole(version: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\d.]){re.escape(version)}(?!\.?\d)")


if __name__ == "__main__":
    try:
        print("\n".join(write(paths.REPO, sys.argv[1])))
    except OpsError as error:
        sys.exit(f"make: {error.sentence}")
