"""The new values, with what could not be translated and the Secrets to make."""

from dataclasses import dataclass, field
from typing import Any

from mlflowops.migrate_values.dotted_path import set_path


@dataclass
class Result:
    """What a translation has to say.

    Attributes:
        values: values of this chart.
        left: keys that were not translated, and what to set instead.
        secrets: keys of each Secret to make, with a placeholder or a shell command for each value.
    """

    values: dict[str, Any] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    def set(self, path: str, value: Any) -> None:
        """Set a key, in place of what it had."""
        set_path(self.values, path, value)

    def get(self, path: str) -> Any:
        """The value of a key, None if it has none."""
        node: Any = self.values
        for key in path.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        return node

    def setdefault(self, path: str, value: Any) -> None:
        """Set a key that has no value yet."""
        if self.get(path) is None:
            self.set(path, value)

    def secret(self, name: str, key: str, value: str) -> None:
        """Ask for a key in a Secret. `value` is a placeholder or a shell command, never a password."""
        self.secrets.setdefault(name, {})[key] = value

    def commands(self) -> list[str]:
        """The commands that make the Secrets."""
        return [
            " ".join(
                [f"kubectl create secret generic {name} -n <namespace>"]
                + [f'--from-literal={key}="{value}"' for key, value in sorted(keys.items())]
            )
            for name, keys in sorted(self.secrets.items())
        ]
