"""Programs of the operating system. Their pin is the Debian release, so that security updates come in."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tenacity
from mlflowops import console
from mlflowops.errors import OpsError

from testbed import paths
from testbed.tools.tool import Tool, call

LISTS_LOCK = "/var/lib/apt/lists/lock"
WAIT_SECONDS = 300
"""Time to wait for another session of apt-get."""


def _is_locked(error: BaseException) -> bool:
    """Whether another session updates the package lists; apt-get has no option that waits for it."""
    return isinstance(error, OpsError) and LISTS_LOCK in str(error)


@dataclass(frozen=True, kw_only=True)
class Apt(Tool):
    """A program of a Debian package, or whatever program of that name the machine has."""

    packages: tuple[str, ...]
    command: str
    """The program's name, or its path where the package keeps it off PATH."""

    linked: ClassVar[bool] = False

    @property
    def origin(self) -> str:
        """The packages."""
        return f"Debian {' '.join(self.packages)}"

    def find(self) -> Path | None:
        """Look on PATH and where root's programs are, which a user's PATH may lack."""
        found = shutil.which(self.command, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")
        return Path(found) if found else None

    def install(self) -> Path:
        """Install the packages, as root only."""
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            instead = f"install what Debian calls {' '.join(self.packages)}"
            raise OpsError(self.name, f"`{self.command}` is not on this machine", instead)
        log = paths.cache("logs") / f"{self.name}.log"
        with console.step(f"{self} from {self.origin}"):
            self._apt_get(log, "update")  # a fresh machine has no package lists
            self._apt_get(log, "install", "--no-install-recommends", *self.packages)
        found = self.find()
        if not found:
            raise OpsError(f"tools.toml, {self.name}", f"no `{self.command}` in {self.origin}", "correct it")
        return found

    @tenacity.retry(
        retry=tenacity.retry_if_exception(_is_locked),
        wait=tenacity.wait_fixed(2),
        stop=tenacity.stop_after_delay(WAIT_SECONDS),
        reraise=True,
    )
    def _apt_get(self, log: Path, *arguments: str) -> None:
        wait = f"DPkg::Lock::Timeout={WAIT_SECONDS}"
        call(
            self,
            ["apt-get", "-y", "-q", "-o", wait, *arguments],
            log,
            env={"DEBIAN_FRONTEND": "noninteractive"},
        )
