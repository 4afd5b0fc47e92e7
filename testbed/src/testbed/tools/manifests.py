"""Kubernetes manifests that published Go modules carry, such as the definitions of custom resources."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mlflowops.errors import OpsError

from testbed.tools.go import NeedsGo
from testbed.tools.published import extract


@dataclass(frozen=True, kw_only=True)
class GoManifests(NeedsGo):
    """Files of a module, joined into one file for `kubectl apply`."""

    original: str
    sum: str
    """The module's hash as Go writes it."""
    files: tuple[str, ...]
    """Their places in the module."""
    without: str = ""
    """Lines that hold this text are left out: what only the module's own Helm chart can fill in."""

    linked: ClassVar[bool] = False

    @property
    def origin(self) -> str:
        """The module."""
        return f"Go module {self.original}"

    @property
    def inputs(self) -> str:
        """The module and what is taken of it."""
        return "\n".join([self.original, self.sum, *self.files, self.without])

    def make(self, folder: Path, log: Path) -> None:  # noqa: ARG002 - it runs no program
        """Join the files in the order of tools.toml."""
        with tempfile.TemporaryDirectory(dir=folder) as work:
            source = Path(work) / "source"
            extract(self, self.original, self.sum, source)
            texts = [self._text(source / file) for file in self.files]
        (folder / self.name).write_text("---\n".join(texts))

    def _text(self, path: Path) -> str:
        if not path.is_file():
            wrong = f"{self.original} has no file {path.name} there"
            raise OpsError(f"tools.toml, {self.name}", wrong, "correct its `files`")
        lines = path.read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not (self.without and self.without in line))
