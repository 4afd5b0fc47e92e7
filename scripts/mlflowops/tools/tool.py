"""What every entry of tools.toml has in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Tool(ABC):
    """One entry of tools.toml. Each kind of source is a subclass."""

    name: str
    group: str
    version: str = ""

    linked: ClassVar[bool] = True
    """Whether the binary gets its place in `bin_dir()`."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where it comes from, in words for a person."""

    @abstractmethod
    def find(self) -> Path | None:
        """Return the binary if the pinned version of it is on this machine already."""

    @abstractmethod
    def install(self) -> Path:
        """Install the binary and return it."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()
