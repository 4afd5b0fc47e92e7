"""Where things live: the repository, what is cached between checkouts, what a cluster leaves on disk."""

import os
from pathlib import Path

from mlflowops.errors import OpsError

REPO = Path(__file__).resolve().parents[2]


def checkout() -> Path:
    """The repository, for commands that use its files. An installed package stands outside of it."""
    if not (REPO / "tools.toml").is_file():
        wrong = "this command uses files of the repository, and mlflowops is installed without it"
        raise OpsError("checkout", wrong, "clone the repository, type `make` and use its .venv/bin/mlflowops")
    return REPO


def _base(variable: str, xdg: str, default: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get(xdg) or Path.home() / default) / "mlflow-kubernetes"


def cache(*parts: str) -> Path:
    """A folder for what is slow to make, shared by all checkouts. Override with MLFLOWOPS_CACHE."""
    folder = _base("MLFLOWOPS_CACHE", "XDG_CACHE_HOME", ".cache").joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def state(*parts: str) -> Path:
    """A folder for what running clusters need. Override with MLFLOWOPS_STATE."""
    folder = _base("MLFLOWOPS_STATE", "XDG_STATE_HOME", ".local/state").joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
