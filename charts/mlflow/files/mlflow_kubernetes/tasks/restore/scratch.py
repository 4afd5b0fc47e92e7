"""The scratch database of a drill: created and dropped, or, if it existed before, emptied."""

import itertools
import time
from contextlib import closing
from types import TracebackType
from typing import Any

from mlflow_kubernetes.tasks.restore import sql
from mlflow_kubernetes.tasks.task import Task, TaskError

# Seconds for other sessions to leave a database that is to be dropped.
DROP_SECONDS = 60
# A database with tables but without this schema was not made by a drill.
MARK = "CREATE SCHEMA IF NOT EXISTS mlflow_kubernetes_scratch"
IS_MARKED = "SELECT 1 FROM pg_namespace WHERE nspname = 'mlflow_kubernetes_scratch'"


class ScratchDatabase:
    """Within the block it is there; after it nothing is in it any more."""

    def __init__(self, task: Task, name: str) -> None:
        self.task = task
        self.name = name
        self.created = False
        self.schemas: set[str] = set()

    def __enter__(self) -> "ScratchDatabase":
        if not self._run("SELECT 1 FROM pg_database WHERE datname = %s", self.name):
            self._create()
        with closing(_connect(self.name)) as connection, connection.cursor() as cursor:
            cursor.execute(IS_MARKED)
            if not cursor.fetchone() and sql.drop_statements(cursor):
                raise TaskError(
                    f"database {self.name} has tables that no drill created; "
                    "set backup.drill.database to an empty one, or to one that does not exist."
                )
            cursor.execute(MARK)
            self.schemas = _schemas(cursor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.created:
            self._drop()
            return
        with closing(_connect(self.name)) as connection, connection.cursor() as cursor:
            for statement in sql.drop_statements(cursor):
                cursor.execute(statement)
            for schema in _schemas(cursor) - self.schemas:
                cursor.execute(f"DROP SCHEMA {schema} CASCADE")  # format() has quoted it

    def _create(self) -> None:
        import psycopg2

        try:
            self._run(f"CREATE DATABASE {self._quoted()}")
        except psycopg2.errors.InsufficientPrivilege as error:
            raise TaskError(
                f"MLflow's role may not create database {self.name}; "
                "make it, owned by that role, or let it: ALTER ROLE ... CREATEDB."
            ) from error
        self.created = True

    def _drop(self) -> None:
        """Drop it. FORCE ends sessions of this role; without it, PostgreSQL cancels autovacuum workers."""
        from psycopg2 import errors

        deadline = time.monotonic() + DROP_SECONDS
        for attempt in itertools.count():
            try:
                force = " WITH (FORCE)" if attempt % 2 == 0 else ""
                self._run(f"DROP DATABASE {self._quoted()}{force}")
                return
            except (errors.InsufficientPrivilege, errors.ObjectInUse) as error:
                if time.monotonic() > deadline:
                    raise TaskError(
                        f"database {self.name} could not be dropped ({' '.join(str(error).split())}); "
                        "end its sessions, the next drill uses it again."
                    ) from error

    def _quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'

    def _run(self, statement: str, *values: Any) -> list[Any]:
        """In MLflow's own database."""
        with closing(_connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []


def _schemas(cursor: Any) -> set[str]:
    cursor.execute("SELECT format('%I', nspname) FROM pg_namespace WHERE pg_has_role(nspowner, 'USAGE')")
    return {row[0] for row in cursor.fetchall()}


def _connect(database: str | None = None) -> Any:
    """A connection that needs no commit: databases cannot be made in a transaction."""
    import psycopg2

    connection = psycopg2.connect(**({"dbname": database} if database else {"dsn": ""}))
    connection.autocommit = True
    return connection
