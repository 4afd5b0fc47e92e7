"""A task of a server with SQLite: its lock and its notes are on the volume."""

import time
from collections.abc import Callable
from typing import Any

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.stores.database import SQLite, connect
from mlflow_kubernetes.stores.sqlite_volume import locked, task_folder, write_note
from mlflow_kubernetes.tasks.task import Report, Task


class VolumeTask(Task):
    """A task by its name, of the database behind an URI of SQLite."""

    def __init__(self, name: str, uri: str, seconds: int) -> None:
        database = connect(uri)
        if not isinstance(database, SQLite):
            raise SystemExit(f"mlflow: {name}: the database is not SQLite; unset MLFLOW_BACKEND_STORE_URI.")
        self.name = name
        self.log = logger(name)
        self.sqlite = database
        self.seconds = seconds
        self.folder = task_folder(database.path)

    def _lock(self, waiting: Callable[[], None]) -> Any:
        return locked(self.folder / f"{self.name}.lock", waiting)

    def _begin(self) -> None:
        now = time.time()
        write_note(self.folder, self.name, started=now, deadline=now + self.seconds)

    def _succeed(self, report: Report) -> None:
        write_note(self.folder, self.name, succeeded=time.time(), error=None, report=dict(report))

    def _fail(self, words: str) -> None:
        write_note(self.folder, self.name, failed=time.time(), error=words)
