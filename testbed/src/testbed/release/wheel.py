"""The wheel of `mlflowops`."""

import sys
from pathlib import Path

from mlflowops import shell

from testbed.release.commit import Source


def build(source: Source, files: Path, folder: Path) -> Path:
    """Build the wheel of a commit with the locked setuptools. The same commit gives the same bytes.

    Args:
        source: the commit.
        files: the files of the commit.
        folder: where the wheel goes.

    Returns:
        The wheel.
    """
    alone = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    pip: list[str | Path] = [sys.executable, "-m", "pip", "wheel", *alone]
    shell.run([*pip, "--wheel-dir", folder, files], env={"SOURCE_DATE_EPOCH": str(source.date)})
    return folder / f"mlflowops-{source.version}-py3-none-any.whl"
