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

from testbed import paths, tools
from testbed.locks import locked

DEFAULT_NODES = 2


def minor(version: str) -> str:
    """Return 1.36 for 1.36.3."""
    return ".".join(version.split(".")[:2])


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

    @property
    def kubernetes(self) -> str:
        """Its Kubernetes version, such as 1.36. A cluster keeps the one that it was made with."""
        if self._version_file.exists():
            return self._version_file.read_text()
        return minor(tools.tool("kubernetes").version)

    @property
    def _version_file(self) -> Path:
        return self.folder / "kubernetes"

    def prepare(self, kubernetes: str | None = None) -> None:
        """Build or install what `up` needs: minutes on a new machine, nothing afterwards."""
        self.check_requirements()
        self.choose(kubernetes)

    def up(self, nodes: int | None = None, kubernetes: str | None = None) -> None:
        """Make the cluster, or what is missing of it. Does nothing where all is well."""
        self.prepare(kubernetes)
        with self._lock():
            version = self.choose(kubernetes)
            self.folder.mkdir(parents=True, exist_ok=True)
            self._version_file.write_text(version)
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

    def choose(self, kubernetes: str | None) -> str:
        """Return the Kubernetes version that the cluster gets, or raise an error with a message."""
        chosen = kubernetes or self.kubernetes
        if chosen not in self.versions():
            wrong = f"there is no Kubernetes {chosen} for it"
            raise OpsError(f"cluster {self.name}", wrong, f"choose one of {', '.join(self.versions())}")
        if self.exists and chosen != self.kubernetes:
            wrong = f"it has Kubernetes {self.kubernetes}, and a cluster keeps its version"
            instead = "choose another --name, or run `testbed cluster down` first"
            raise OpsError(f"cluster {self.name}", wrong, instead)
        return chosen

    @classmethod
    @abstractmethod
    def versions(cls) -> dict[str, str]:
        """Return the Kubernetes versions that it can have, such as 1.36, and what each is made of."""

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
