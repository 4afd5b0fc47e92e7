"""Compressed files, which all workers of a pod share."""

import asyncio
import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


class GzipFiles:
    """A folder with one file for each ETag, so no more than there are files of the UI."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.gettempdir(), "mlflow-ui")
        self.making = asyncio.Lock()  # one at a time: each takes memory

    def open(self, etag: bytes) -> BinaryIO | None:
        """Open a file that was added before."""
        try:
            return self._path(etag).open("rb")
        except OSError:
            return None

    def add(self, etag: bytes, data: bytes) -> None:
        """Keep a compressed file, if there is room on the disk."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as new:
                try:
                    new.write(data)
                    new.flush()
                    Path(new.name).rename(self._path(etag))
                except OSError:
                    Path(new.name).unlink()

    def _path(self, etag: bytes) -> Path:
        return self.folder / f"{hashlib.sha256(etag).hexdigest()}.gz"
