"""The cache of binaries: each is made once, whole or not at all, and by one process at a time."""

import hashlib
import os
import re
import shutil
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from mlflowops import console, shell
from mlflowops.errors import OpsError

from testbed import paths
from testbed.locks import locked
from testbed.tools.tool import Tool

# helmfile asks the internet for a newer version of itself unless told not to.
QUIET = {"HELMFILE_UPGRADE_NOTICE_DISABLED": "1"}


def digest(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@dataclass(frozen=True, kw_only=True)
class Stored(Tool):
    """A binary that lives in the cache, in a folder named after everything that it is made from."""

    check: tuple[str, ...] = ()
    """Arguments that make the binary print its version. Without them none is taken from PATH."""

    @property
    @abstractmethod
    def inputs(self) -> str:
        """All that decides what the binary is. A change of it means another binary."""

    @abstractmethod
    def make(self, folder: Path, log: Path) -> None:
        """Put the binary into `folder` under its own name; programs write to `log`."""

    def find(self) -> Path | None:
        """Return the binary from the cache, else one of the right version from PATH."""
        if self._cached.exists():
            return self._cached
        on_path = shutil.which(self.name) if self.check else None
        return Path(on_path) if on_path and self.is_pinned(Path(on_path)) else None

    def install(self) -> Path:
        """Make the binary in the cache. Several processes may ask at once: the first one makes it."""
        lock = paths.cache("tools", "locks") / self.key
        with locked(lock, f"waiting for another process that installs {self}"):
            if not self._cached.exists():
                self._make_whole()
        return self._cached

    def is_pinned(self, binary: Path) -> bool:
        """Ask the binary itself which version it is."""
        said = shell.run([binary, *self.check], env=QUIET, check=False)
        exactly = rf"(?<![\w.])v?{re.escape(self.version)}(?![\w.-])"
        return re.search(exactly, said.stdout + said.stderr) is not None

    @property
    def key(self) -> str:
        """The name of its folder in the cache."""
        machine = os.uname()
        parts = (self.inputs, machine.sysname, machine.machine)
        return f"{self.name}-{self.version}-{digest(chr(0).join(parts))}"

    @property
    def _cached(self) -> Path:
        return paths.cache("tools") / self.key / self.name

    def _make_whole(self) -> None:
        partial = paths.cache("tools") / f".{self.key}"
        shutil.rmtree(partial, ignore_errors=True)  # left by a process that was ended
        partial.mkdir()
        log = paths.cache("logs") / f"{self.key}.log"
        console.err.print(f"log of {self}: {log}", style="dim", highlight=False, soft_wrap=True)
        with console.step(f"{self} from {self.origin}"):
            self.make(partial, log)
        if self.check and not self.is_pinned(partial / self.name):
            wrong = f"`{self.name} {' '.join(self.check)}` does not say {self.version}"
            raise OpsError(f"tools.toml, {self.name}", wrong, "correct its entry")
        partial.rename(self._cached.parent)
