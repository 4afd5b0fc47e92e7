"""A way to deploy a chart, and then another one in its place."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from e2e.helm import CHART
from e2e.upgrades.place import Place


class Way(ABC):
    """What people type to install a released chart, to upgrade to this tree's, and to go back."""

    def __init__(self, place: Place, released: Path) -> None:
        self.place = place
        self.released = released
        self.chart = CHART

    @abstractmethod
    def install(self) -> None:
        """Deploy the released chart where nothing is yet; returns when all is Ready."""

    @abstractmethod
    def upgrade(self) -> None:
        """Deploy this tree's chart."""

    @abstractmethod
    def back(self) -> None:
        """Deploy the released chart again."""

    @abstractmethod
    def manifest(self) -> list[dict[str, Any]]:
        """Return the objects that were deployed last."""
