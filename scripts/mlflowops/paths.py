"""Paths of the repository."""

from pathlib import Path

from mlflowops.errors import OpsError

REPO = Path(__file__).resolve().parents[2]


def checkout() -> Path:
    """Return the root of the repository.

    Raises:
        OpsError: The package is installed without it.
    """
    if not (REPO / "helmfile.yaml").is_file():
        wrong = "this command uses files of the repository, and mlflowops is installed without it"
        raise OpsError("checkout", wrong, "clone the repository, type `make` and use its .venv/bin/mlflowops")
    return REPO
