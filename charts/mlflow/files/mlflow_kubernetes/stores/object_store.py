"""What an object store can do for the programs; its class has the settings that MLflow's own client reads."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import SplitResult

MIB = 1 << 20
# S3 takes 10,000 pieces: this is enough for 300 GiB, and three of them are in memory.
CHUNK = 32 * MIB
CONNECT_TIMEOUT, READ_TIMEOUT = 5, 10
"""Seconds of a check, which tries once."""


class Stream(Protocol):
    """What can be read once."""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""


class ObjectStore(ABC):
    """A folder of a bucket; its client is made at the first use and kept."""

    def __init__(self, env: Mapping[str, str], uri: SplitResult) -> None:
        self.env = env
        self.uri = uri
        self.bucket = uri.username or uri.netloc
        self.folder = f"{uri.path.strip('/')}/".lstrip("/")

    def __str__(self) -> str:
        return self.uri.geturl()

    @abstractmethod
    def open_for_check(self) -> None:
        """Import the library and make the client of `check`, which may take longer than the check."""

    @abstractmethod
    def check(self) -> None:
        """Ask for one object, whether there is one or not; raises what went wrong. Writes nothing."""


class BackupStore(ObjectStore):
    """One that can hold backups. What is written may be larger than memory and disk together."""

    @abstractmethod
    def names(self) -> list[str]:
        """Of all objects, below the folder."""

    @abstractmethod
    def write(self, name: str, stream: Stream) -> None:
        """Store it to its end, in pieces, as they come."""

    @abstractmethod
    def read(self, name: str) -> Iterator[bytes]:
        """The object, piece by piece."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove one that is there."""
