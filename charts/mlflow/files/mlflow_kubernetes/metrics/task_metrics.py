"""Results of the chart's CronJobs, which their tasks store in the database or on the volume."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from mlflow_kubernetes.stores.database import Database, SQLite
from mlflow_kubernetes.stores.sqlite_volume import FOLDER, read_notes

TASK_RUNS = """
    SELECT name, extract(epoch FROM started)::float, coalesce(extract(epoch FROM succeeded), 0)::float,
           coalesce(failed > coalesce(succeeded, '-infinity'), false)
           OR (deadline < now() AND started > coalesce(greatest(succeeded, failed), '-infinity')), report
    FROM mlflow_kubernetes.tasks"""


class TaskRuns:
    """The tasks that are switched on, as `name=<seconds until their last success is too old>` each."""

    def __init__(self, database: Database, tasks: str) -> None:
        self.database = database
        self.limits = {
            name: float(seconds) for name, _, seconds in (each.partition("=") for each in tasks.split())
        }

    def collect(self) -> Iterator[Metric]:
        """Read their rows; a task that never ran has none."""
        rows = {row[0]: row[1:] for row in self._rows() if row[0] in self.limits}
        yield _gauge("max_age_seconds", "Maximum age of the last success in seconds.", self.limits)
        started = {name: row[0] for name, row in rows.items()}
        yield _gauge("last_start_timestamp_seconds", "Time when the task last started.", started)
        succeeded = {name: rows[name][1] if name in rows else 0 for name in self.limits}
        yield _gauge("last_success_timestamp_seconds", "Time of the last success, 0 if none.", succeeded)
        failed = {name: float(row[2]) for name, row in rows.items()}
        yield _gauge("failed", "1 if the last run of the task failed or was interrupted.", failed)
        for name, row in rows.items():
            for item, value in row[3].items():
                words = f"Result of the last success of {name}."
                yield GaugeMetricFamily(f"mlflow_{name}_{item}", words, value=value)

    def _rows(self) -> list[tuple[Any, ...]]:
        if isinstance(self.database, SQLite):
            return _noted(self.database.path.parent / FOLDER)
        with self.database.connection() as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT to_regclass('mlflow_kubernetes.tasks')")
            if cursor.fetchone() == (None,):
                return []
            cursor.execute(TASK_RUNS)
            return list(cursor.fetchall())


def _noted(folder: Path) -> list[tuple[Any, ...]]:
    """Rows as above, of the notes on the volume."""
    rows = []
    for name, note in read_notes(folder).items():
        succeeded, failed = note.get("succeeded") or 0.0, note.get("failed") or 0.0
        cut_off = note["deadline"] < time.time() and note["started"] > max(succeeded, failed)
        rows.append((name, note["started"], succeeded, failed > succeeded or cut_off, note.get("report", {})))
    return rows


def _gauge(name: str, words: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    """A gauge for each task."""
    family = GaugeMetricFamily(f"mlflow_task_{name}", words, labels=("task",))
    for task, value in values.items():
        family.add_metric([task], value)
    return family
