"""Binaries built from a published Go module of which a few files must be others."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from testbed.tools.go import GoModule
from testbed.tools.published import extract
from testbed.tools.tool import call


@dataclass(frozen=True, kw_only=True)
class GoPatched(GoModule):
    """Like GoModule; its go.mod replaces `original` by ./source, which is made for the build only.

    The folder `patch` has whole files (*.go) and changes of a few lines (*.diff).
    (Go's own -overlay refuses files of published modules.)
    """

    original: str
    sum: str
    """The original's hash as Go writes it; a replaced module has none in go.sum."""
    language: str = ""
    """The original's `go` line, if an older Go than it asks for builds it."""

    @property
    def inputs(self) -> str:
        """Also what is laid over the original, and the original itself."""
        language = [self.language] if self.language else []
        patches = (path.read_text() for path in self._patches)
        return "\n".join([super().inputs, self.sum, *language, *patches])

    def make(self, folder: Path, log: Path) -> None:
        """Build in a copy of the module's folder."""
        with tempfile.TemporaryDirectory(dir=folder) as name:
            work = Path(name)
            shutil.copytree(self.folder, work, ignore=shutil.ignore_patterns("patch"), dirs_exist_ok=True)
            extract(self, self.original, self.sum, work / "source")
            if self.language:
                edit = ["go", "mod", "edit", f"-go={self.language}", "source/go.mod"]
                call(self, edit, log, cwd=work, env=self.environment())
            for path in self._patches:
                self._lay(path, work / "source", log)
            self.build(work, folder, log)

    def _lay(self, path: Path, source: Path, log: Path) -> None:
        if path.suffix == ".go":
            (source / path.relative_to(self.folder / "patch")).write_text(path.read_text())
            return
        apply = ["git", "apply", "--unidiff-zero", str(path)]
        # Inside a work tree git would take the paths as those of its root, and skip them.
        call(self, apply, log, cwd=source, env={"GIT_CEILING_DIRECTORIES": str(source.parent)})

    @property
    def _patches(self) -> list[Path]:
        files = (self.folder / "patch").rglob("*")
        return sorted(path for path in files if path.suffix in (".go", ".diff"))
