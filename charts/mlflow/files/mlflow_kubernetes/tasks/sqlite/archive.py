"""A backup as a tar archive that is made and read as a stream, so that no disk holds it."""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from mlflow_kubernetes.stores.object_store import MIB
from mlflow_kubernetes.tasks.task import TaskError

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"


class Pieces:
    """A stream of what an iterator yields."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.rest = b""

    def seekable(self) -> bool:
        """No: what was read is gone."""
        return False

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""
        found = bytearray(self.rest)
        while (size < 0 or len(found) < size) and (piece := next(self.pieces, b"")):
            found += piece
        end = len(found) if size < 0 else size
        self.rest = bytes(found[end:])
        return bytes(found[:end])


def pack(database: Path, artifacts: Path | None, log: Callable[[str], None]) -> Iterator[bytes]:
    """Yield the archive: the copy of a database, then the files of artifacts in the order of their names."""
    yield from _pack_file(DATABASE, database, log)
    files = sorted(file for file in artifacts.rglob("*") if file.is_file()) if artifacts else []
    for file in files:
        name = f"{ARTIFACTS}/{file.relative_to(artifacts).as_posix()}" if artifacts else ""
        try:
            yield from _pack_file(name, file, log)
        except FileNotFoundError:
            log(f"{file} was deleted meanwhile.")
    yield bytes(2 * tarfile.BLOCKSIZE)


def _pack_file(name: str, path: Path, log: Callable[[str], None]) -> Iterator[bytes]:
    """Yield header, content and padding, of the size that the file has when it is opened."""
    with path.open("rb") as file:
        entry = tarfile.TarInfo(name)
        entry.size = left = os.fstat(file.fileno()).st_size
        yield entry.tobuf(tarfile.PAX_FORMAT)
        while left and (data := file.read(min(left, MIB))):
            left -= len(data)
            yield data
    if left:
        log(f"{path} became shorter while it was read; zeros are in its place.")
    yield bytes(left + -entry.size % tarfile.BLOCKSIZE)


def unpack(chunks: Iterable[bytes], folder: Path, *, artifacts: bool = True) -> int:
    """Write the files of an archive into a folder, and read it to its end; return how many files it has.

    Args:
        chunks: the archive.
        folder: an empty one.
        artifacts: write the artifacts too, and not the database only.

    Raises:
        TaskError: It holds what a backup would not write.
    """
    stream, count = Pieces(chunks), 0
    try:
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
            for entry in archive:
                target = folder / _checked(entry)
                count += 1
                if artifacts or entry.name == DATABASE:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    content = archive.extractfile(entry)
                    assert content  # noqa: S101 - of a regular file there is one
                    with target.open("xb") as file:
                        shutil.copyfileobj(content, file, MIB)
    except (tarfile.TarError, OSError) as error:
        raise TaskError(f"the archive cannot be unpacked: {' '.join(str(error).split())}.") from error
    while stream.read(MIB):
        pass
    return count


def _checked(entry: tarfile.TarInfo) -> PurePosixPath:
    name = PurePosixPath(entry.name)
    artifact = len(name.parts) > 1 and name.parts[0] == ARTIFACTS and ".." not in name.parts
    if not entry.isreg() or not (artifact or entry.name == DATABASE):
        raise TaskError(f"the archive has {entry.name!r}, which backups do not contain; take another backup.")
    return name
