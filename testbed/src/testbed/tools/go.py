"""Binaries built with Go from published modules."""

import functools
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mlflowops import shell
from mlflowops.errors import OpsError

from testbed import paths
from testbed.tools.store import Stored
from testbed.tools.tool import call

MODULES = paths.BED / "cluster" / "go"


@dataclass(frozen=True, kw_only=True)
class NeedsGo(Stored):
    """What is made with Go's own commands."""

    go: str
    """The oldest Go that will do."""

    def environment(self) -> dict[str, str]:
        """Return Go's settings, or raise an error with a message if there is no Go."""
        if not shutil.which("go"):
            instead = f"install Go {self.go} or newer and put it on PATH, or put {self} there yourself"
            raise OpsError(f"{self}", "Go, which builds it, is not installed", instead)
        return _environment(self.go)


@dataclass(frozen=True, kw_only=True)
class GoBinary(NeedsGo):
    """What both ways of building have in common."""

    package: str
    stamp: tuple[str, ...] = ()
    """`variable=value` pairs that the linker writes, so that the binary knows its version."""

    @property
    def flags(self) -> list[str]:
        """Small, static, and the same bytes wherever it is built."""
        return ["-trimpath", "-ldflags", " ".join(["-s", "-w", *(f"-X {pair}" for pair in self.stamp)])]

    @property
    def inputs(self) -> str:
        """The source and the flags."""
        return " ".join([self.package, self.version, *self.flags])


@dataclass(frozen=True, kw_only=True)
class GoInstall(GoBinary):
    """`go install package@version`: for modules without replacements."""

    @property
    def origin(self) -> str:
        """The published module."""
        return f"Go {self.package}@v{self.version}"

    def make(self, folder: Path, log: Path) -> None:
        """Build it; Go names the binary after the package's folder."""
        env = self.environment() | {"GOBIN": str(folder)}
        call(self, ["go", "install", *self.flags, f"{self.package}@v{self.version}"], log, env=env)
        next(folder.iterdir()).rename(folder / self.name)


@dataclass(frozen=True, kw_only=True)
class GoModule(GoBinary):
    """Built in a module of ours in cluster/go, which pins versions and holds the replacements."""

    module: str
    pinned_as: str = ""
    """The line of its go.mod that must agree with `version`. None when the source is our own."""
    tags: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The module's folder."""
        return MODULES / self.module

    @property
    def origin(self) -> str:
        """The module in this repository."""
        return f"Go module testbed/cluster/go/{self.module}"

    @property
    def flags(self) -> list[str]:
        """As for every Go binary, and the build tags."""
        return [*super().flags, "-tags", ",".join(self.tags)]

    @property
    def inputs(self) -> str:
        """The pins and, for a package of our own, its source (it may not import a sibling folder)."""
        pins = [self.folder / "go.mod", self.folder / "go.sum"]
        own = self.package.startswith("./")
        source = sorted((self.folder / self.package).rglob("*")) if own else []
        texts = (path.read_text() for path in [*pins, *source] if path.is_file())
        return "\n".join([super().inputs, *texts])

    def make(self, folder: Path, log: Path) -> None:
        """Build it in the module's folder, which stays untouched."""
        self.build(self.folder, folder, log)

    def build(self, module: Path, folder: Path, log: Path) -> None:
        """Build the module that lies in one folder into another."""
        output = str(folder / self.name)
        command = ["go", "build", *self.flags, "-o", output, self.package]
        call(self, command, log, cwd=module, env=self.environment())


@functools.cache
def _environment(oldest: str) -> dict[str, str]:
    proxy, running = shell.run(["go", "env", "GOPROXY", "GOVERSION"]).stdout.split("\n")[:2]
    old_enough = _numbers(running) >= _numbers(oldest)
    return {
        # Without "direct" a module that the registry lacks fails at once, in the registry's own words.
        "GOPROXY": re.sub(r"[,|]direct$", "", proxy),
        # An older Go may fetch the newer one itself, as it does by default.
        "GOTOOLCHAIN": "local" if old_enough else "auto",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        # The compiler's own: a fifth less CPU for a build, with some 100 MB more for each package at a time.
        "GOGC": "400",
    }


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
