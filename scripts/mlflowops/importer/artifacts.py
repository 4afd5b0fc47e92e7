"""Copies artifacts file by file and compares them by checksum."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from mlflowops.importer.ids import Ids
from mlflowops.importer.transfer import Transfer


def listed(repository: ArtifactRepository, folder: str | None = None) -> Iterator[FileInfo]:
    """Yield every file, folders resolved."""
    for each in repository.list_artifacts(folder):
        if each.is_dir:
            yield from listed(repository, each.path)
        else:
            yield each


def copy(transfer: Transfer, old: str, new: str, again: bool) -> None:
    """Copy the files that the server lacks or holds in another size; `again` copies all of them."""
    source = transfer.source.artifacts(old)
    wanted = list(listed(source))
    if not wanted:
        return
    target = transfer.artifacts(new)
    there = {} if again else {each.path: _size(each) for each in listed(target)}
    with tempfile.TemporaryDirectory() as temp:
        for each in wanted:
            if there.get(each.path) != _size(each):
                local = _translated(
                    Path(source.download_artifacts(each.path, temp)), transfer.ids, Path(temp)
                )
                target.log_artifact(str(local), _folder(each.path))


def _size(file: FileInfo) -> int:
    return file.file_size or 0  # a server leaves the size of an empty file out


def differences(transfer: Transfer, old: str, new: str) -> tuple[int, list[str]]:
    """Compare every file of the source by SHA-256; return how many are equal, and what is wrong."""
    source = transfer.source.artifacts(old)
    wanted = list(listed(source))
    if not wanted:
        return 0, []
    target = transfer.artifacts(new)
    there = {each.path for each in listed(target)}
    wrong = []
    for each in wanted:
        if each.path not in there:
            wrong.append(f"{each.path} is missing")
        elif _checksum(source, each.path, transfer.ids) != _checksum(target, each.path, None):
            wrong.append(f"{each.path} differs")
    return len(wanted) - len(wrong), wrong


def _checksum(repository: ArtifactRepository, path: str, ids: Ids | None) -> str:
    with tempfile.TemporaryDirectory() as temp:
        local = Path(repository.download_artifacts(path, temp))
        if ids:
            local = _translated(local, ids, Path(temp))
        digest = hashlib.sha256()
        with local.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()


def _translated(file: Path, ids: Ids, temp: Path) -> Path:
    """A file MLmodel names its run and its model: with the old ids, evaluating the model would fail."""
    if file.name != "MLmodel":
        return file
    copy = temp / "translated" / file.name
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(ids.translate(file.read_text(encoding="utf-8")), encoding="utf-8")
    return copy


def _folder(path: str) -> str | None:
    parent = str(PurePosixPath(path).parent)
    return None if parent == "." else parent
