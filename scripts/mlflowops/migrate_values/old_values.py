"""The old values: dotted keys that each translation takes out."""

from collections.abc import Iterator
from typing import Any

from mlflowops.migrate_values.dotted_path import set_path

EMPTY: tuple[Any, ...] = (None, "", [], {})


class Source:
    """Old values. What has been taken is translated; the rest is not."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._leaves = dict(_leaves(values, ""))

    def take(self, path: str, default: Any = None) -> Any:
        """Remove a value and return it. A map comes back with what is below it."""
        below = {each: value for each, value in self._leaves.items() if each.startswith(f"{path}.")}
        if not below:
            value = self._leaves.pop(path, None)
            return default if value in EMPTY and value is not False else value
        values: dict[str, Any] = {}
        for each in below:
            set_path(values, each[len(path) + 1 :], self._leaves.pop(each))
        return values

    def has(self, path: str) -> bool:
        """Whether a key has a value that is not empty."""
        return self._leaves.get(path) not in EMPTY

    def setdefault(self, path: str, value: Any) -> None:
        """Add what the other chart would have set."""
        if not self.has(path):
            self._leaves[path] = value

    def rest(self) -> Iterator[tuple[str, Any]]:
        """What is left, without empty values."""
        return ((path, value) for path, value in self._leaves.items() if value not in EMPTY or value is False)


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    # A key with a dot in it is a label or an annotation: its map is one value.
    if not (isinstance(node, dict) and node) or any("." in str(key) for key in node):
        yield path, node
        return
    for key, below in node.items():
        yield from _leaves(below, f"{path}.{key}" if path else str(key))
