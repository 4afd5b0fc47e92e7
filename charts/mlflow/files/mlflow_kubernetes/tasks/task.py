"""What the chart's CronJobs have in common: one at a time, and a row with the result of the last one.

The rows are in a PostgreSQL schema of the chart's own, where neither MLflow nor its migrations look. The
metrics read them, so that no task needs a way to Prometheus.
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.stores.database import OWN_SCHEMA, Database, PostgreSQL, Unreachable

Report = Mapping[str, float]
SETUP = f"""{OWN_SCHEMA}
    CREATE TABLE IF NOT EXISTS mlflow_kubernetes.tasks (
        name text PRIMARY KEY, started timestamptz NOT NULL, deadline timestamptz NOT NULL,
        succeeded timestamptz, failed timestamptz, error text, report jsonb NOT NULL DEFAULT '{{}}')"""
START = """
    INSERT INTO mlflow_kubernetes.tasks (name, started, deadline)
    VALUES (%(name)s, now(), now() + %(seconds)s * interval '1 s')
    ON CONFLICT (name) DO UPDATE SET started = excluded.started, deadline = excluded.deadline"""
SUCCESS = """
    UPDATE mlflow_kubernetes.tasks SET succeeded = now(), error = NULL, report = %(report)s
    WHERE name = %(name)s"""
FAILURE = "UPDATE mlflow_kubernetes.tasks SET failed = now(), error = %(error)s WHERE name = %(name)s"


class TaskError(Exception):
    """What ends a task, in one sentence that says what to do."""


class _AlreadyRunning(Exception):
    """Another Job of the same name runs."""


class Task:
    """A task by its name; `seconds` is how long Kubernetes lets it run."""

    def __init__(self, name: str, database: Database, seconds: int) -> None:
        if not isinstance(database, PostgreSQL):
            sys.exit(f"mlflow: {name}: the database is not PostgreSQL; set backendStore.postgres.")
        self.name = name
        self.log = logger(name)
        self.database = database
        self.seconds = seconds

    def run(self, work: Callable[[], Report], *, wait: bool = False) -> int:
        """Do the work as the only one of this name, and record how it ended; the exit code."""
        signal.signal(signal.SIGTERM, _exit_on_sigterm)

        def waiting() -> None:
            self.log.info(f"another run is in progress; {'waiting for it' if wait else 'nothing to do'}.")
            if not wait:
                raise _AlreadyRunning

        try:
            with self._lock(waiting):
                return self._run_and_record(work)
        except _AlreadyRunning:
            return 0
        except Unreachable as error:
            self.log.error(error)
            return 1

    def _run_and_record(self, work: Callable[[], Report]) -> int:
        self._begin()
        try:
            report = work()
        except BaseException as error:  # the metrics must report any failure
            self._log_error(error)
            self._fail(" ".join(str(error).split()) or type(error).__name__)
            return 1
        self._succeed(report)
        return 0

    def _lock(self, waiting: Callable[[], None]) -> Any:
        return self.database.lock(waiting, self.name)

    def _begin(self) -> None:
        self._setup()
        self._write(START, seconds=self.seconds)

    def _succeed(self, report: Report) -> None:
        self._write(SUCCESS, report=json.dumps(report))

    def _fail(self, words: str) -> None:
        self._write(FAILURE, error=words)

    def _log_error(self, error: BaseException) -> None:
        if isinstance(error, (TaskError, Unreachable, SystemExit)):
            self.log.error(error)
        else:
            self.log.error(error, exc_info=error)

    def _setup(self) -> None:
        import psycopg2

        try:
            self._write(SETUP)
        except psycopg2.errors.InsufficientPrivilege as error:
            raise Unreachable(
                f"{' '.join(str(error).split())}; let MLflow's role keep notes: "
                "GRANT CREATE ON DATABASE, or CREATE SCHEMA mlflow_kubernetes AUTHORIZATION."
            ) from error

    def _write(self, statement: str, **values: Any) -> None:
        """In a connection of its own: the lock's transaction stays empty, so that it holds back no vacuum."""
        with self.database.connection() as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, {"name": self.name, **values})


def _exit_on_sigterm(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit("stopped from outside: by the deadline, a drained node or a deleted Job.")
