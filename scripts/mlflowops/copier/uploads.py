"""Artifacts of the source on their way to the pod: only those that the artifact store lacks."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflowops.copier.orders import PART, Orders
from mlflowops.importer.folder import Folder
from mlflowops.importer.locations import ALLOW_HINT, AllowedLocations, Refused, is_plain, redacted

# Folders whose files are asked for at a time.
GROUP = 200
SERVED = "mlflow-artifacts:/"


@dataclass
class Plan:
    """What is to be copied from where.

    Attributes:
        files: Files of this machine by their paths below the artifact root, for each new folder.
        fetches: Address in an object store for each new folder.
        refused: Sentences about what must not be read.
    """

    files: dict[str, dict[str, Path]] = field(default_factory=dict)
    fetches: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def plan(owners: Iterator[dict[str, Any]], locations: AllowedLocations) -> Plan:
    """Find the artifacts of all owners, by the rules of an import."""
    found = Plan()
    for owner in owners:
        who = f"{owner['kind']} {owner['id']}"
        try:
            place = locations.resolve(_served_address(owner["old"], locations), owner["id"])
        except Refused as refused:
            old = redacted(owner["old"])
            found.refused.append(f"{who}: its artifacts at {old} are refused: {refused}; {ALLOW_HINT}.")
            continue
        if isinstance(place, Folder):
            found.files[owner["folder"]] = place.files()
            found.refused += [f"{who}: its artifact {each}, so it is refused." for each in place.refused]
        elif place:
            found.fetches[owner["folder"]] = place
    return found


def upload(orders: Orders, found: Plan, advance: Callable[[int], None]) -> int:
    """Copy what the store lacks; return how many files.

    Args:
        orders: The pod.
        found: What there is.
        advance: Called with the number of files that are done.
    """
    copied = 0
    for group in _groups(found.files):
        sizes = {
            folder: {path: file.stat().st_size for path, file in files.items()}
            for folder, files in group.items()
        }
        missing = orders.result("missing", json.dumps(sizes).encode())["files"]
        paths = {f"{folder}/{path}": file for folder, files in group.items() for path, file in files.items()}
        _send(orders, {path: paths[path] for path in missing})
        copied += len(missing)
        advance(len(paths))
    for folder, address in found.fetches.items():
        body = json.dumps({"address": address, "folder": folder}).encode()
        copied += int(orders.result("fetch", body)["files"])
        advance(1)
    return copied


def _served_address(old: str, locations: AllowedLocations) -> str:
    """Return where a server keeps what it serves, if --artifacts names one object store and no folder."""
    if not old.startswith(SERVED) or locations.named or len(locations.addresses) != 1 or not is_plain(old):
        return old
    return f"{locations.addresses[0].rstrip('/')}/{old.removeprefix(SERVED)}"


def _groups(files: dict[str, dict[str, Path]]) -> Iterator[dict[str, dict[str, Path]]]:
    folders = [folder for folder, content in files.items() if content]
    for start in range(0, len(folders), GROUP):
        yield {folder: files[folder] for folder in folders[start : start + GROUP]}


def _send(orders: Orders, files: dict[str, Path]) -> None:
    """Send small files together, each large one in parts."""
    waiting: dict[str, bytes] = {}
    for path, file in files.items():
        if file.stat().st_size > PART:
            orders.send(file, "artifact")
            orders.result("store", path=path)
            continue
        waiting[path] = file.read_bytes()
        if sum(map(len, waiting.values())) > PART:
            orders.result("store", _archive(waiting))
            waiting = {}
    if waiting:
        orders.result("store", _archive(waiting))


def _archive(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()
