"""Paths of the test bed's files, of the cache and of the state of clusters."""

import os
from pathlib import Path

BED = Path(__file__).resolve().parents[2]
REPO = BED.parent


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
