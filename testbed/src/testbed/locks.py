"""Locks between processes. The kernel releases a lock when its process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflowops import console


@contextmanager
def locked(file: Path, waiting: str) -> Iterator[None]:
    """Hold the lock on a file.

    Args:
        file: the file, which is made if it is missing.
        waiting: what to print while another process holds it.
    """
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with console.step(waiting):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
