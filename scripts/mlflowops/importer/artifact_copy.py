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
from mlflowops.importer.locations import ALLOW_HINT, Refused, redacted
from mlflowops.importer.transfer import Transfer

# Returns a file of the source: its path there, and a folder to download it into.
Fetch = Callable[[str, Path], Path]


@dataclass(frozen=True)
class Artifacts:
    """The artifacts of a run or logged model of the source.

    Attributes:
        sizes: Bytes of each file by its path.
        complete: Whether nothing was refused.
    """

    complete: bool
    sizes: dict[str, int] = field(default_factory=dict)
    fetch: Fetch = lambda path, _: Path(path)


def copy_artifacts(transfer: Transfer, owner: str, old: str, new: str, overwrite: bool) -> bool:
    """Copy the files that the server lacks or holds in another size.

    Args:
        transfer: The import.
        owner: `run <id>` or `model <id>` in the source.
        old: Address of the artifacts in the source.
        new: Their address on the server.
        overwrite: Copy all of them.

    Returns:
        Whether nothing was refused.
    """
    found = _source_artifacts(transfer, owner, old)
    if not found.sizes:
        return found.complete
    target = transfer.artifacts(new)
    existing = {} if overwrite else {each.path: _file_size(each) for each in list_files(target)}
    with tempfile.TemporaryDirectory() as temp:
        for path, size in found.sizes.items():
            if existing.get(path) != size:
                local = _with_new_ids(found.fetch(path, Path(temp)), transfer.ids, Path(temp))
                target.log_artifact(str(local), _parent_folder(path))
    return found.complete


def differences(transfer: Transfer, owner: str, old: str, new: str) -> tuple[int, list[str], bool]:
    """Compare every file of the source by SHA-256.

    Returns:
        How many are equal, what is wrong, and whether nothing was refused.
    """
    found = _source_artifacts(transfer, owner, old)
    if not found.sizes:
        return 0, [], found.complete
    target = transfer.artifacts(new)
    existing = {each.path for each in list_files(target)}
    wrong = []
    for path in found.sizes:
        if path not in existing:
            wrong.append(f"{path} is missing")
        elif _checksum(found.fetch, path, transfer.ids) != _checksum(_download_from(target), path, None):
            wrong.append(f"{path} differs")
    return len(found.sizes) - len(wrong), wrong, found.complete


def list_files(repository: ArtifactRepository, folder: str | None = None) -> Iterator[FileInfo]:
    """Yield every file, in sub-folders too."""
    for each in repository.list_artifacts(folder):
        if each.is_dir:
            yield from list_files(repository, each.path)
        else:
            yield each


def _source_artifacts(transfer: Transfer, owner: str, address: str) -> Artifacts:
    """List the artifacts of the source; what it must not read is noted as refused."""
    try:
        place = transfer.source.locations.resolve(address or "", owner.partition(" ")[2])
    except Refused as refused:
        transfer.add_refusal(
            f"{owner}: its artifacts at {redacted(address)} are refused: {refused}; {ALLOW_HINT}."
        )
        return Artifacts(complete=False)
    if isinstance(place, Folder):
        return _folder_artifacts(transfer, owner, place)
    if place is None:
        return Artifacts(complete=True)
    source = get_artifact_repository(place, tracking_uri=transfer.source.client.tracking_uri)
    return Artifacts(
        True, {each.path: _file_size(each) for each in list_files(source)}, _download_from(source)
    )


def _folder_artifacts(transfer: Transfer, owner: str, folder: Folder) -> Artifacts:
    files = folder.files()
    for each in folder.refused:
        transfer.add_refusal(
            f"{owner}: its artifact {each}, so it is refused; put a file there, or remove it."
        )
    sizes = {path: real.stat().st_size for path, real in files.items()}
    return Artifacts(not folder.refused, sizes, lambda path, _: files[path])


def _download_from(repository: ArtifactRepository) -> Fetch:
    return lambda path, temp: Path(repository.download_artifacts(path, str(temp)))


def _file_size(file: FileInfo) -> int:
    return file.file_size or 0  # a server leaves the size of an empty file out


def _checksum(fetch: Fetch, path: str, ids: Ids | None) -> str:
    with tempfile.TemporaryDirectory() as temp:
        local = fetch(path, Path(temp))
        if ids:
            local = _with_new_ids(local, ids, Path(temp))
        digest = hashlib.sha256()
        with local.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()


def _with_new_ids(file: Path, ids: Ids, temp: Path) -> Path:
    """A file MLmodel names its run and its model: with the old ids, evaluating the model would fail."""
    if file.name != "MLmodel":
        return file
    copy_artifacts = temp / "translated" / file.name
    copy_artifacts.parent.mkdir(exist_ok=True)
    copy_artifacts.write_text(ids.translate(file.read_text(encoding="utf-8")), encoding="utf-8")
    return copy_artifacts


def _parent_folder(path: str) -> str | None:
    parent = str(PurePosixPath(path).parent)
    return None if parent == "." else parent
