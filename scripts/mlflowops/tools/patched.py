"""Binaries built from a published Go module of which a few files must be others."""

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mlflowops import shell
from mlflowops.errors import OpsError
from mlflowops.tools.go import GoModule


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
            self._copy_original(work)
            for path in self._patches:
                target = work / "source" / path.relative_to(self.folder / "patch")
                target.write_text(path.read_text())
            self.build(work, folder, log)

    @property
    def _patches(self) -> list[Path]:
        return sorted((self.folder / "patch").rglob("*.go"))

    def _copy_original(self, work: Path) -> None:
        wanted = f"{self.original}@v{self.version}"
        download = ["go", "mod", "download", "-json", wanted]
        with tempfile.TemporaryDirectory() as nowhere:  # outside our module, which replaces it
            module = json.loads(shell.run(download, cwd=Path(nowhere), env=self.environment()).stdout)
        if module["Sum"] != self.sum:
            wrong = f"{wanted} has the sum {module['Sum']}, not the one in tools.toml"
            raise OpsError(f"{self}", wrong, "correct its entry if you trust this sum")
        with zipfile.ZipFile(module["Zip"]) as archive:
            archive.extractall(work)
        (work / wanted).rename(work / "source")
