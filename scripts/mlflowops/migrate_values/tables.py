"""What the chart knows of other charts' keys, as its templates read it."""

import functools
from pathlib import Path
from typing import Any

import yaml

from mlflowops.paths import checkout


@functools.cache
def table(name: str) -> Any:
    """A file of charts/mlflow/validation."""
    file = checkout() / "charts/mlflow/validation" / f"{name}.yaml"
    return yaml.safe_load(file.read_text())


@functools.cache
def defaults(peer: str) -> dict[str, dict[str, Any]]:
    """What another chart sets by itself where a key is set, by that key."""
    return dict(yaml.safe_load((Path(__file__).parent / "defaults.yaml").read_text())[peer])


def is_known(path: str) -> bool:
    """Whether this chart has a key."""
    node: Any = table("known")
    for key in path.split("."):
        if node == "any":
            return True
        node = node.get(key, node.get("*"))
        if node is None:
            return False
    return True


def is_leaf(path: str) -> bool:
    """Whether a key of this chart holds a value and no further keys of the chart."""
    node: Any = table("known")
    for key in path.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    return node == "any" or (isinstance(node, dict) and "[]" in node)


def new_path(path: str) -> str | None:
    """Where the value of an old key goes unchanged, None if it has no such place."""
    if is_known(path):
        return path
    entry = _nearest(path)
    if entry is None or entry not in table("moved"):
        return None
    new = str(table("moved")[entry]) + path[len(entry) :]
    return new if is_known(new) else None


def explained(path: str) -> tuple[str, str]:
    """What to set instead of an old key, behind the key that the sentence is about."""
    entry = _nearest(path)
    if entry is None:
        return path, "remove it, or set a key that `helm show values` lists"
    moved = table("moved").get(entry)
    return entry, f"set {moved}" if moved else str(table("renamed")[entry])


def sentence(path: str) -> str:
    """What to set instead of an old key."""
    return explained(path)[1]


def _nearest(path: str) -> str | None:
    entries = [
        old for name in ("moved", "renamed") for old in table(name) if f"{path}.".startswith(f"{old}.")
    ]
    return max(entries, key=len, default=None)
