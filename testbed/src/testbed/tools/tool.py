"""What every entry of tools.toml has in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mlflowops import shell
from mlflowops.errors import OpsError


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
        """Return where it comes from, as text for people."""

    @abstractmethod
    def find(self) -> Path | None:
        """Return the binary if the pinned version of it is on this machine already."""

    @abstractmethod
    def install(self) -> Path:
        """Install the binary and return it."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


def call(
    tool: Tool,
    command: list[str],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run one program of an installation; its failure shows the last lines and the path of the log."""
    log.write_text("")
    done = shell.run(command, cwd=cwd, env=env, log=log, check=False)
    if done.returncode:
        last = " ".join(log.read_text(errors="replace").split("\n")[-6:]).strip()
        again = f"read {log}, then run `testbed tools install {tool.name}` again"
        raise OpsError(f"{tool} from {tool.origin}", f"`{command[0]}` failed: {last}", again)
