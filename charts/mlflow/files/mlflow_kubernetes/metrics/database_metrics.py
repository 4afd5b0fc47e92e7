"""Metrics of the database and of its contents."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import product
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from mlflow_kubernetes.stores.database import Database, MySQL, PostgreSQL, SQLite

Rows = Callable[[str], list[Any]]

# Timeout of a query in milliseconds: checks must not add to the load of a slow database.
QUERY_TIMEOUT_MS = 10_000
STAGES = ("active", "deleted")
STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
POSTGRESQL_CONNECTIONS = """
    SELECT count(*) FILTER (WHERE usename = current_user), count(*) FILTER (WHERE usename <> current_user),
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    FROM pg_stat_activity WHERE datname IS NOT NULL"""
MYSQL_CONNECTIONS = """
    SELECT count(*), @@max_connections FROM information_schema.processlist
    WHERE user = substring_index(user(), '@', 1)"""
RUNS = "SELECT lifecycle_stage, status, count(*) FROM runs GROUP BY lifecycle_stage, status"
EXPERIMENTS = "SELECT lifecycle_stage, count(*) FROM experiments GROUP BY lifecycle_stage"
MODELS = "SELECT count(*) FROM registered_models"
VERSIONS = "SELECT count(*) FROM model_versions WHERE current_stage <> 'Deleted_Internal'"
WORKSPACE_EXPERIMENTS = """
    SELECT workspace, lifecycle_stage, count(*) FROM experiments GROUP BY workspace, lifecycle_stage"""
WORKSPACE_RUNS = """
    SELECT e.workspace, r.lifecycle_stage, count(*) FROM runs r JOIN experiments e USING (experiment_id)
    GROUP BY e.workspace, r.lifecycle_stage"""
# The words of MLflow's `JobStatus`, by their numbers in its table.
JOB_STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMEOUT", "CANCELED", "NEEDS_RECOVERY")
JOBS = "SELECT status, count(*) FROM jobs GROUP BY status"
# Of jobs that no runner has begun. A retry counts only when it is due.
OLDEST_PENDING = "SELECT min(greatest(creation_time, next_attempt_at)) FROM jobs WHERE status = 0"
SIZE = {
    MySQL: """
        SELECT sum(data_length + index_length) FROM information_schema.tables
        WHERE table_schema = DATABASE()""",
    PostgreSQL: "SELECT pg_database_size(current_database())",
    SQLite: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
}


class DatabaseState:
    """Schema revision and connections, which are fast to read and need no lock of a table."""

    def __init__(self, database: Database, head: str) -> None:
        self.database = database
        self.head = head

    def collect(self) -> Iterator[Metric]:
        """Ask for all of it."""
        found = self.database.revision()
        words = "1 if the database has the schema that this image needs."
        yield _gauge("mlflow_schema_up_to_date", words, (), {(): found == self.head})
        revisions = {(found or "none", self.head): 1}
        yield _gauge("mlflow_schema_info", "Schema revisions.", ("database", "image"), revisions)
        if isinstance(self.database, (MySQL, PostgreSQL)):
            yield from self._connections()

    def _connections(self) -> Iterator[Metric]:
        count = _mysql_connections if isinstance(self.database, MySQL) else _postgresql_connections
        with _open_query(self.database) as rows:
            ours, others, limit = count(rows)
        used = {("mlflow",): ours, ("others",): others}
        yield _gauge("mlflow_database_connections", "Connections to the database server.", ("role",), used)
        words = "Maximum number of connections that the database server allows."
        yield _gauge("mlflow_database_connections_limit", words, (), {(): limit})


def _postgresql_connections(rows: Rows) -> list[int]:
    """Those of MLflow's role, those of others, and how many there may be."""
    return list(rows(POSTGRESQL_CONNECTIONS)[0])


def _mysql_connections(rows: Rows) -> list[int]:
    """The same; a role that sees its own connections only may still ask how many there are."""
    [(ours, limit)] = rows(MYSQL_CONNECTIONS)
    [(_, all_of_them)] = rows("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
    return [ours, int(all_of_them) - ours, limit]


class DatabaseInventory:
    """Contents of the database. Counting reads whole tables, so it is separate from the fast check."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[Metric]:
        """Count the rows; a stage or status without rows has the value 0."""
        runs = dict.fromkeys(product(STAGES, STATUSES), 0)
        experiments = dict.fromkeys(product(STAGES), 0)
        with _open_query(self.database) as rows:
            runs |= {(stage, status): count for stage, status, count in rows(RUNS)}
            experiments |= {(stage,): count for stage, count in rows(EXPERIMENTS)}
            models, versions, size = (
                rows(query)[0] for query in (MODELS, VERSIONS, SIZE[type(self.database)])
            )
        yield _gauge("mlflow_runs_total", "Number of runs.", ("lifecycle_stage", "status"), runs)
        yield _gauge("mlflow_experiments_total", "Number of experiments.", ("lifecycle_stage",), experiments)
        yield _gauge("mlflow_registered_models_total", "Number of registered models.", (), {(): models[0]})
        yield _gauge("mlflow_model_versions_total", "Number of model versions.", (), {(): versions[0]})
        yield _gauge("mlflow_database_size_bytes", "Size of the database in bytes.", (), {(): size[0]})


class WorkspaceInventory:
    """Contents of each workspace that has experiments."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[Metric]:
        """Count the rows; a stage without rows has no value."""
        with _open_query(self.database) as rows:
            experiments, runs = (
                {(workspace, stage): count for workspace, stage, count in rows(query)}
                for query in (WORKSPACE_EXPERIMENTS, WORKSPACE_RUNS)
            )
        labels = ("workspace", "lifecycle_stage")
        words = "Number of experiments of a workspace."
        yield _gauge("mlflow_workspace_experiments_total", words, labels, experiments)
        yield _gauge("mlflow_workspace_runs_total", "Number of runs of a workspace.", labels, runs)


class JobQueue:
    """Background jobs, which servers write into PostgreSQL and the one runner takes."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[Metric]:
        """Count them; a status that none has shows as 0."""
        jobs = dict.fromkeys(product(JOB_STATUSES), 0)
        with _open_query(self.database) as rows:
            jobs |= {(JOB_STATUSES[status],): count for status, count in rows(JOBS)}
            [(since,)] = rows(OLDEST_PENDING)
        yield _gauge("mlflow_jobs_total", "Number of background jobs.", ("status",), jobs)
        waits = max(0.0, time.time() - since / 1000) if since else 0
        words = "Seconds that the oldest background job has waited to start, 0 if none waits."
        yield _gauge("mlflow_jobs_waiting_seconds", words, (), {(): waits})


@contextmanager
def _open_query(database: Database) -> Iterator[Rows]:
    """A function that runs one query after the other, in a connection and a transaction of its own."""
    with database.connection() as connection, closing(connection.cursor()) as cursor:
        if isinstance(database, PostgreSQL):
            cursor.execute(f"SET LOCAL statement_timeout = {QUERY_TIMEOUT_MS}")
        elif isinstance(database, MySQL) and "MariaDB" in connection.get_server_info():
            cursor.execute(f"SET SESSION max_statement_time = {QUERY_TIMEOUT_MS / 1000}")
        elif isinstance(database, MySQL):
            cursor.execute(f"SET SESSION max_execution_time = {QUERY_TIMEOUT_MS}")

        def rows(query: str) -> list[Any]:
            cursor.execute(query)
            return list(cursor.fetchall())

        yield rows


def _gauge(name: str, words: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    """A gauge for each row of label values."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for row, value in values.items():
        family.add_metric([str(each) for each in row], value)
    return family
