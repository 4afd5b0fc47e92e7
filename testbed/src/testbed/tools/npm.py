"""Programs that a package of the npm registry carries, run by Node."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from mlflowops.errors import OpsError

from testbed.tools.store import Stored
from testbed.tools.tool import call


@dataclass(frozen=True, kw_only=True)
class NpmBinary(Stored):
    """A command of an npm package. Its dependencies are those of one day, the same on every machine."""

    package: str
    command: str
    """The package's own name for the command."""
    before: str
    """The newest day (YYYY-MM-DD) of which a dependency may be."""
    integrity: str
    """npm's hash of the package."""

    @property
    def origin(self) -> str:
        """The package."""
        return f"npm {self.package}@{self.version}"

    @property
    def inputs(self) -> str:
        """The package, the command and the day."""
        return " ".join([self.origin, self.command, self.before, self.integrity])

    def make(self, folder: Path, log: Path) -> None:
        """Install the package; none of its scripts run."""
        if not (shutil.which("npm") and shutil.which("node")):
            raise OpsError(f"{self}", "Node.js, which runs it, is not installed", "install nodejs and npm")
        exactly = ["--ignore-scripts", "--omit=optional", f"--before={self.before}"]
        quiet = ["--no-audit", "--no-fund", "--no-save", "--prefix", str(folder)]
        call(self, ["npm", "install", *quiet, *exactly, f"{self.package}@{self.version}"], log)
        installed = json.loads((folder / "node_modules/.package-lock.json").read_text())
        found = installed["packages"][f"node_modules/{self.package}"]["integrity"]
        if found != self.integrity:
            wrong = f"its integrity is {found}, not the one in tools.toml"
            raise OpsError(f"{self} from {self.origin}", wrong, "correct its entry if you trust this one")
        (folder / self.name).symlink_to(Path("node_modules/.bin") / self.command)
