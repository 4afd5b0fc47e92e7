"""`helm upgrade` and `helm rollback`."""

from pathlib import Path
from typing import Any

import yaml

from e2e.upgrades.place import RELEASE, TIMEOUT, Place
from e2e.upgrades.way import Way


class HelmWay(Way):
    """Helm, in one or two of its major versions."""

    def __init__(
        self, place: Place, released: Path, *, first: str = "helm", then: str = "", reuse: bool = False
    ) -> None:
        """Choose the programs.

        Args:
            place: Where it happens.
            released: Archive of the released chart.
            first: Name of the Helm that installs.
            then: Name of the Helm that upgrades, if it is another one.
            reuse: Whether the upgrade has `--reuse-values` instead of the values.
        """
        super().__init__(place, released)
        self.first, self.then, self.reuse = first, then or first, reuse

    def install(self) -> None:
        """Run `helm install`."""
        self._helm(self.first, "install", RELEASE, self.released, "--values", self.place.values_file())

    def upgrade(self) -> None:
        """Run `helm upgrade`."""
        values = ("--reuse-values",) if self.reuse else ("--values", self.place.values_file())
        self._helm(self.then, "upgrade", RELEASE, self.chart, *values)

    def back(self) -> None:
        """Run `helm rollback`."""
        self._helm(self.then, "rollback", RELEASE)

    def manifest(self) -> list[dict[str, Any]]:
        """Return what Helm has kept of the release."""
        text = self.place.run(self.then, "get", "manifest", RELEASE, "--namespace", self.place.namespace)
        return [each for each in yaml.safe_load_all(text) if each]

    def _helm(self, program: str, *words: str | Path) -> None:
        wait = ("--wait", "--timeout", TIMEOUT) if self.place.waits else ()
        self.place.run(program, *words, "--namespace", self.place.namespace, *wait)
