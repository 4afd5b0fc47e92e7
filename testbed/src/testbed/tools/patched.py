"""Binaries built from a published Go module of which a few files must be others."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from testbed.tools.go import GoModule
from testbed.tools.published import extract


@dataclass(frozen=True, kw_only=True)
class GoPatched(GoModule):
    """Like GoModule; its go.mod replaces `original` by ./source, which is made for the build only.

    (Go's own -overlay refuses files of published modules.)
    """

    original: str
    sum: str
    """The original's hash as Go writes it; a replaced module has none in go.sum."""

    @property
    def inputs(self) -> str:
        """Also what is laid over the original, and the original itself."""
        return "\n".join([super().inputs, self.sum, *(path.read_text() for path in self._patches)])

    def make(self, folder: Path, log: Path) -> None:
        """Build in a copy of the module's folder."""
        with tempfile.TemporaryDirectory(dir=folder) as name:
            work = Path(name)
            for pins in ("go.mod", "go.sum"):
                (work / pins).write_text((self.folder / pins).read_text())
            extract(self, self.original, self.sum, work / "source")
            for path in self._patches:
                target = work / "source" / path.relative_to(self.folder / "patch")
                target.write_text(path.read_text())
            self.build(work, folder, log)

    @property
    def _patches(self) -> list[Path]:
        return sorted((self.folder / "patch").rglob("*.go"))
