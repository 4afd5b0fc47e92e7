"""Lists the files of a local folder, and refuses links to the outside."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# MLflow's local store begins a file with it that is still being written.
UNFINISHED = ".artifact.uploading."


@dataclass(frozen=True)
class Folder:
    """A folder whose links are followed only to what `is_allowed` accepts. `path` has no links itself."""

    path: Path
    is_allowed: Callable[[str], bool]
    refused: list[str] = field(default_factory=list)

    def files(self) -> dict[str, Path]:
        """Return every file by its path in the folder; fill `refused` with the rest."""
        found: dict[str, Path] = {}
        self._walk(self.path, "", (), found)
        return found

    def _walk(self, folder: Path, prefix: str, above: tuple[Path, ...], found: dict[str, Path]) -> None:
        above = (*above, folder)
        for entry in sorted(folder.iterdir()):
            name, real = prefix + entry.name, Path(os.path.realpath(entry))
            if entry.name.startswith(UNFINISHED):
                continue
            if not (real.is_relative_to(self.path) or self.is_allowed(str(real))):
                self.refused.append(f"{name!r} is a link to the outside")
            elif real in above:
                self.refused.append(f"{name!r} is a link to a folder that it is in")
            elif real.is_dir():
                self._walk(real, f"{name}/", above, found)
            elif real.is_file():
                found[name] = entry
            else:
                self.refused.append(f"{name!r} is neither a file nor a folder")
