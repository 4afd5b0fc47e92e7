"""Values by dotted paths."""

from typing import Any


def set_path(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the key at a dotted path, in place of what it had, with the maps that lead to it."""
    *parents, last = path.split(".")
    node = values
    for key in parents:
        node = node.setdefault(key, {})
    node[last] = value
