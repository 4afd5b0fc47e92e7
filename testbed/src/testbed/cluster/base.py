"""The operations that every kind of cluster supports."""

import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

from mlflowops import console
from mlflowops.errors import OpsError

from testbed import paths
from testbed.locks import locked

DEFAULT_NODES = 2


class Cluster(ABC):
    """A cluster by name. Everything that is kept of it is in its folder."""

    driver: ClassVar[str]

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", name):
            wrong = "not a name that links, folders and certificates can carry"
            raise OpsError(f"cluster {name!r}", wrong, "use up to 40 of a-z, 0-9 and -, a letter first")
        self.name = name

    @property
    def folder(self) -> Path:
        """All state of this cluster. It exists from the first moment of `up` to the last of `down`."""
        return paths.state("clusters") / self.name

    @property
    def kubeconfig(self) -> Path:
        """The file for kubectl, Helm and all others. It is there once `up` has ended."""
        return self.folder / "kubeconfig"

    @classmethod
    def made(cls, name: str) -> bool:
        """Whether this driver has begun to make a cluster of this name."""
        file = paths.state("clusters") / name / "driver"
        return file.exists() and file.read_text() == cls.driver

    @property
    def exists(self) -> bool:
        """Whether anything of this cluster is there, be it whole or not."""
        return self.folder.exists()

    def prepare(self) -> None:
        """Build or install what `up` needs: minutes on a new machine, nothing afterwards."""
        self.check_requirements()

    def up(self, nodes: int | None = None) -> None:
        """Make the cluster, or what is missing of it. Does nothing where all is well."""
        self.prepare()
        with self._lock():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "driver").write_text(self.driver)
            self.make(nodes)

    def down(self) -> None:
        """Remove the cluster and all it left, whole or not."""
        with self._lock():
            if self.exists:
                self.check_requirements()
                with console.step(f"Removing cluster {self.name}"):
                    self.remove()
                    shutil.rmtree(self.folder)

    def load(self, archives: Sequence[Path]) -> None:
        """Bring the images of docker or OCI archives to every node that does not have them yet."""
        missing = [str(archive) for archive in archives if not archive.is_file()]
        if missing:
            instead = "name archives, as `docker save` or `testbed images build` write them"
            raise OpsError(", ".join(missing), "there is no such file", instead)
        self.load_images(archives)

    @abstractmethod
    def check_requirements(self) -> None:
        """Refuse with a message what this machine or user cannot do, before anything is created."""

    @abstractmethod
    def make(self, nodes: int | None) -> None:
        """What `up` does."""

    @abstractmethod
    def remove(self) -> None:
        """What `down` does; the folder goes afterwards."""

    @abstractmethod
    def load_images(self, archives: Sequence[Path]) -> None:
        """What `load` does."""

    def _lock(self) -> AbstractContextManager[None]:
        """Two commands never work on the same cluster."""
        lock = paths.state("locks") / f"cluster-{self.name}"
        return locked(lock, f"Waiting for another command on cluster {self.name}")
