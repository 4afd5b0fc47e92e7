"""The Python that the chart runs in its pods, beside the MLflow of the image. Needs Python 3.10 or newer."""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).absolute().parent)


def command(program: str, *arguments: str) -> list[str]:
    """Return the command that starts another program of the package, as a pod's command does."""
    return [sys.executable, FOLDER, program, *arguments]
