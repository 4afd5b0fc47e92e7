"""The Python that the chart runs in its pods, beside the MLflow of the image. Needs Python 3.10 or newer."""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))


def command(program: str, *arguments: str) -> list[str]:
    """Return the command that starts another program of the package, as a pod's command does."""
    return [sys.executable, FOLDER, program, *arguments]
