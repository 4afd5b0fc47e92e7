"""The volume of a server with SQLite: a folder with locks, and with how tasks went, beside the database.

Locks are the kernel's, so they hold between the pods that mount the volume and end with their processes.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = "tasks"
USE = "use.lock"
"""Held by all that read or write the data: shared, or by a restore alone."""
REPLACING = "replacing"
"""A file that exists while a restore replaces the data."""


class InUse(Exception):
    """Another process holds the lock."""


def task_folder(database: Path) -> Path:
    """Return the folder on the volume of a SQLite file, and make it if it is missing."""
    folder = database.parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(file: Path, waiting: Callable[[], None], *, shared: bool = False) -> Iterator[int]:
    """Hold the lock on a file, which is made if it is missing; yields its descriptor.

    Args:
        file: in the task folder.
        waiting: called each second while another process holds it; may raise.
        shared: together with others that share it.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CREAT, 0o660)
    try:
        while not _lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            waiting()
            time.sleep(1)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def in_use(database: Path, waiting: Callable[[], None]) -> Iterator[int]:
    """Keep restores away from the data of a SQLite file; SystemExit if one was cut off."""
    folder = task_folder(database)
    with locked(folder / USE, waiting, shared=True) as descriptor:
        if (folder / REPLACING).exists():
            raise SystemExit(
                "mlflow: a restore was interrupted while it replaced the data; repeat it: mlflowops restore."
            )
        yield descriptor


def read_notes(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what tasks have noted, by their names; times in seconds since 1970."""
    return {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}


def write_note(folder: Path, name: str, **values: Any) -> None:
    """Change what a task has noted."""
    new = folder / f"{name}.new"
    new.write_text(json.dumps({**read_notes(folder).get(name, {}), **values}))
    new.rename(folder / f"{name}.json")
