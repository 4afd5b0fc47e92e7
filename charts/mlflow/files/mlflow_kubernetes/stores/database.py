"""The kinds of database that the chart offers, for the migration and the metrics: revision and lock."""

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from mlflow_kubernetes.stores.sqlite_volume import in_use
from mlflow_kubernetes.stores.uri import connect_mysql, database_kind

# The key of the advisory lock, "mlflow" in ASCII; pg_locks shows it as classid 28012, objid 1718382455.
LOCK_KEY = int.from_bytes(b"mlflow", "big")
# The name of MySQL's: other than a key of PostgreSQL, it holds in all databases of the server.
LOCK_NAME = "LEFT(CONCAT('mlflow.', DATABASE()), 64)"
# For the chart's own tables. CREATE SCHEMA IF NOT EXISTS needs the right to create one although it exists.
OWN_SCHEMA = """
    DO $$ BEGIN
        IF to_regnamespace('mlflow_kubernetes') IS NULL THEN CREATE SCHEMA mlflow_kubernetes; END IF;
    END $$;"""


class Unreachable(Exception):
    """The database did not answer, in one line that holds no password."""


class Database(ABC):
    """A database by its SQLAlchemy URI."""

    exists: str
    """A query for whether there is a table, whose name goes between the braces."""
    after_failure = "old pods keep serving"
    """What to say after a migration that failed."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @abstractmethod
    def connection(self) -> Any:
        """A context with a fresh DB-API connection; raises Unreachable."""

    @abstractmethod
    def lock(self, waiting: Callable[[], None]) -> Any:
        """A context that one process at a time is in; calls `waiting`, which may raise, if another one is."""

    def revision(self, table: str = "alembic_version") -> str | None:
        """The schema revision in one of Alembic's tables, None if there is no schema; raises Unreachable."""
        with self.connection() as connection, closing(connection.cursor()) as cursor:
            if not _scalar(cursor, self.exists.format(table)):
                return None
            found: str | None = _scalar(cursor, f"SELECT version_num FROM {table}")  # noqa: S608 (a constant)
            return found


def connect(uri: str) -> Database:
    """The database behind MLFLOW_BACKEND_STORE_URI; nothing is opened yet."""
    kinds: dict[str, type[Database]] = {"mysql": MySQL, "postgresql": PostgreSQL, "sqlite": SQLite}
    return kinds[database_kind(uri)](uri)


def _scalar(cursor: Any, query: str) -> Any:
    """The first column of the first row, None if there is no row."""
    cursor.execute(query)
    row = cursor.fetchone()
    return row[0] if row else None


def _wait_for_lock(cursor: Any, lock: str, waiting: Callable[[], None]) -> None:
    """Ask for a lock until it is ours."""
    if not _scalar(cursor, lock):
        waiting()
        while not _scalar(cursor, lock):
            time.sleep(1)


class PostgreSQL(Database):
    """PostgreSQL through libpq, which takes what the URI leaves out from PGHOST, PGPASSWORD and so on."""

    exists = "SELECT to_regclass('{}')"

    @contextmanager
    def lock(self, waiting: Callable[[], None], task: str = "") -> Iterator[None]:
        """An advisory lock of a transaction, not of a session: PgBouncer keeps its promise only for that.

        Args:
            waiting: as in Database.
            task: the name of the task that it is for; none for a migration.
        """
        key = f"hashtext('mlflow_kubernetes.{task}')" if task else LOCK_KEY
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            _wait_for_lock(cursor, f"SELECT pg_try_advisory_xact_lock({key})", waiting)
            yield

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """Open a connection; raises Unreachable."""
        import psycopg2

        dsn = "postgresql://" + self.uri.partition("://")[2]
        try:
            with closing(psycopg2.connect(dsn)) as connection:
                try:
                    yield connection
                finally:
                    # psycopg2 leaves the transaction open, and PgBouncer discards such a connection.
                    with suppress(psycopg2.Error):
                        connection.rollback()
        except psycopg2.OperationalError as error:
            raise Unreachable(" ".join(str(error).split())) from error


class MySQL(Database):
    """MySQL or MariaDB."""

    exists = """
        SELECT count(*) FROM information_schema.tables
        WHERE table_schema = DATABASE() AND table_name = '{}'"""
    after_failure = "MySQL cannot undo the half of it: restore your backup (docs/upgrading.md)"

    @contextmanager
    def lock(self, waiting: Callable[[], None]) -> Iterator[None]:
        """A lock of the session, which must not be ended for doing nothing while MLflow migrates."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION wait_timeout = 31536000")
            _wait_for_lock(cursor, f"SELECT GET_LOCK({LOCK_NAME}, 0)", waiting)
            yield

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """Open a connection; raises Unreachable."""
        from pymysql import OperationalError

        try:
            with closing(connect_mysql(self.uri)) as connection:
                yield connection
        except OperationalError as error:
            raise Unreachable(" ".join(str(error).split())) from error


class SQLite(Database):
    """A file on the volume of the one pod that there is."""

    exists = "SELECT count(*) FROM sqlite_master WHERE name = '{}'"

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.path = Path(uri.partition(":///")[2])

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection; raises Unreachable."""
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise Unreachable(str(error)) from error

    def revision(self, table: str = "alembic_version") -> str | None:
        """Return the revision, None if there is no file yet."""
        return super().revision(table) if self.path.exists() else None

    @contextmanager
    def lock(self, waiting: Callable[[], None]) -> Iterator[None]:
        """A lock against restores. On SQLite there is one pod, which is replaced when it has gone."""
        with in_use(self.path, cache(waiting)):
            yield
