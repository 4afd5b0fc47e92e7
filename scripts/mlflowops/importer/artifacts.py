"""Copies artifacts file by file and compares them by checksum."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from mlflowops.importer.folder import Folder
from mlflowops.importer.ids import Ids
from mlflowops.importer.places import INSTEAD, Refused, shown
from mlflowops.importer.transfer import Transfer

# Returns a file of the source: its path there, and a folder to download it into.
Fetch = Callable[[str, Path], Path]


@dataclass(frozen=True)
class Artifacts:
    """What a run or logged model of the source holds.

    Attributes:
        sizes: Bytes of each file by its path.
        complete: Whether nothing was refused.
    """

    complete: bool
    sizes: dict[str, int] = field(default_factory=dict)
    fetch: Fetch = lambda path, _: Path(path)


def copy(transfer: Transfer, owner: str, old: str, new: str, again: bool) -> bool:
    """Copy the files that the server lacks or holds in another size.

    Args:
        transfer: The import.
        owner: `run <id>` or `model <id>` in the source.
        old: Address of the artifacts in the source.
        new: Their address on the server.
        again: Copy all of them.

    Returns:
        Whether nothing was refused.
    """
    found = _found(transfer, owner, old)
    if not found.sizes:
        return found.complete
    target = transfer.artifacts(new)
    there = {} if again else {each.path: _size(each) for each in listed(target)}
    with tempfile.TemporaryDirectory() as temp:
        for path, size in found.sizes.items():
            if there.get(path) != size:
                local = _translated(found.fetch(path, Path(temp)), transfer.ids, Path(temp))
                target.log_artifact(str(local), _folder(path))
    return found.complete


def differences(transfer: Transfer, owner: str, old: str, new: str) -> tuple[int, list[str], bool]:
    """Compare every file of the source by SHA-256.

    Returns:
        How many are equal, what is wrong, and whether nothing was refused.
    """
    found = _found(transfer, owner, old)
    if not found.sizes:
        return 0, [], found.complete
    target = transfer.artifacts(new)
    there = {each.path for each in listed(target)}
    wrong = []
    for path in found.sizes:
        if path not in there:
            wrong.append(f"{path} is missing")
        elif _checksum(found.fetch, path, transfer.ids) != _checksum(_downloads(target), path, None):
            wrong.append(f"{path} differs")
    return len(found.sizes) - len(wrong), wrong, found.complete


def listed(repository: ArtifactRepository, folder: str | None = None) -> Iterator[FileInfo]:
    """Yield every file, folders resolved."""
    for each in repository.list_artifacts(folder):
        if each.is_dir:
            yield from listed(repository, each.path)
        else:
            yield each


def _found(transfer: Transfer, owner: str, address: str) -> Artifacts:
    """List the artifacts of the source; what it must not read is noted as refused."""
    try:
        place = transfer.source.places.opened(address or "", owner.partition(" ")[2])
    except Refused as refused:
        transfer.refuse(f"{owner}: its artifacts at {shown(address)} are refused: {refused}; {INSTEAD}.")
        return Artifacts(complete=False)
    if isinstance(place, Folder):
        return _in_folder(transfer, owner, place)
    if place is None:
        return Artifacts(complete=True)
    source = get_artifact_repository(place, tracking_uri=transfer.source.client.tracking_uri)
    return Artifacts(True, {each.path: _size(each) for each in listed(source)}, _downloads(source))


def _in_folder(transfer: Transfer, owner: str, folder: Folder) -> Artifacts:
    files = folder.files()
    for each in folder.refused:
        transfer.refuse(f"{owner}: its artifact {each}, so it is refused; put a file there, or remove it.")
    sizes = {path: real.stat().st_size for path, real in files.items()}
    return Artifacts(not folder.refused, sizes, lambda path, _: files[path])


def _downloads(repository: ArtifactRepository) -> Fetch:
    return lambda path, temp: Path(repository.download_artifacts(path, str(temp)))


def _size(file: FileInfo) -> int:
    return file.file_size or 0  # a server leaves the size of an empty file out


def _checksum(fetch: Fetch, path: str, ids: Ids | None) -> str:
    with tempfile.TemporaryDirectory() as temp:
        local = fetch(path, Path(temp))
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
