"""`mlflowops helmfile`: runs helmfile in this repository, from any directory."""

import os
import shutil
import sys
from pathlib import Path

import typer

from mlflowops import paths
from mlflowops.errors import OpsError


def helmfile(arguments: typer.Context) -> None:
    """Run helmfile in this repository: `mlflowops helmfile -e local diff`.

    If the test bed is installed, this is the pinned helmfile, with the pinned helm and a `diff` plugin.
    Otherwise it is the helmfile on PATH.
    """
    os.chdir(paths.checkout())
    command = [*_helmfile_command(), *arguments.args]
    os.execv(command[0], command)  # noqa: S606 - becomes it


def _helmfile_command() -> list[str]:
    testbed = Path(sys.executable).with_name("testbed")
    if testbed.exists():
        return [str(testbed), "helmfile"]
    binary = shutil.which("helmfile")
    if not binary:
        raise OpsError("helmfile", "it is not installed", "run `make tools`, or put it on PATH, and helm too")
    return [binary]
