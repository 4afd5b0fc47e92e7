"""Artifacts on their way into the server's artifact store, by MLflow's own clients of each kind of store."""

import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.tasks.task import TaskError

THREADS = 8
# The source may not name a file of this pod.
OBJECT_STORES = ("abfss", "gs", "s3", "wasbs")


class Artifacts:
    """The artifact store of the release.

    Attributes:
        root: Its address in the server's database.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._store = artifact_root(env)
        self.root = "mlflow-artifacts:" if env.get("MLFLOW_ARTIFACTS_DESTINATION") else self._store
        if not self._store:
            raise TaskError("the release names no artifact store; set artifactStore")

    def missing(self, sizes: dict[str, dict[str, int]]) -> list[str]:
        """Return the files that the store lacks or holds in another size.

        Args:
            sizes: Bytes by path for each folder below the root.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            found = pool.map(lambda each: self._missing_in(*each), sizes.items())
            return [path for each in found for path in each]

    def store_archive(self, data: bytes) -> int:
        """Store the files of a tar archive by their names below the root; return how many."""
        with tempfile.TemporaryDirectory() as temp, tarfile.open(fileobj=io.BytesIO(data)) as archive:
            files = [_extract(archive, member, Path(temp, str(n))) for n, member in enumerate(archive)]
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(lambda file: self.store(*file), files))
        return len(files)

    def store(self, local: Path, path: str) -> None:
        """Store one file, whose name is that of its path."""
        parent = str(PurePosixPath(_checked(path)).parent)
        self._repository().log_artifact(str(local), None if parent == "." else parent)

    def fetch(self, address: str, folder: str) -> int:
        """Copy files from an address of an object store to a folder below the root; return how many."""
        if urlsplit(address).scheme not in OBJECT_STORES:
            raise TaskError(f"{urlsplit(address).scheme}: is not an object store; name one with --artifacts")
        source, copied = _open(address), 0
        sizes = {each.path: each.file_size or 0 for each in _files(source)}
        for path in self._missing_in(folder, sizes):
            with tempfile.TemporaryDirectory() as temp:
                name = path.removeprefix(f"{folder}/")
                self.store(Path(source.download_artifacts(name, temp)), path)
                copied += 1
        return copied

    def _missing_in(self, folder: str, sizes: dict[str, int]) -> list[str]:
        present = {each.path: each.file_size or 0 for each in _files(self._repository(), _checked(folder))}
        paths = {f"{folder}/{name}": size for name, size in sizes.items()}
        return [path for path, size in paths.items() if present.get(path) != size]

    def _repository(self) -> Any:
        return _open(self._store)


def _open(address: str) -> Any:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(address)


def _files(repository: Any, folder: str | None = None) -> Iterator[Any]:
    for each in repository.list_artifacts(folder):
        if each.is_dir:
            yield from _files(repository, each.path)
        else:
            yield each


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> tuple[Path, str]:
    """Write a member into a folder of its own; return the file and the name of the member."""
    local, content = folder / PurePosixPath(member.name).name, archive.extractfile(member)
    folder.mkdir()
    local.write_bytes(content.read() if content else b"")
    return local, member.name


def _checked(path: str) -> str:
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise TaskError(f"{path!r} is not a path below the artifact store")
    return path
