"""The two kinds of database that the chart offers, for the schema step and the metrics: revision and lock."""

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# The key of the advisory lock, "mlflow" in ASCII; pg_locks shows it as classid 28012, objid 1718382455.
LOCK_KEY = int.from_bytes(b"mlflow")


class Unreachable(Exception):
    """The database did not answer, in one line that holds no password."""


class Database(ABC):
    """A database by its SQLAlchemy URI."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @abstractmethod
    def connection(self) -> Any:
        """A context with a fresh DB-API connection; raises Unreachable."""

    @abstractmethod
    def revision(self, table: str = "alembic_version") -> str | None:
        """The schema revision in one of Alembic's tables, None if there is no schema; raises Unreachable."""

    @abstractmethod
    def lock(self, waiting: Callable[[], None]) -> Any:
        """A context that one process at a time is in; calls `waiting` once if another one is."""


def connect(uri: str) -> Database:
    """The database behind MLFLOW_BACKEND_STORE_URI; nothing is opened yet."""
    kinds: dict[str, type[Database]] = {"postgresql": PostgreSQL, "sqlite": SQLite}
    kind = urlsplit(uri).scheme.partition("+")[0]
    if kind not in kinds:
        raise SystemExit(
            f"mlflow: schema: MLFLOW_BACKEND_STORE_URI: {kind or 'no scheme'} is not supported; "
            "set postgresql+psycopg2:// or sqlite:///<path>."
        )
    return kinds[kind](uri)


class PostgreSQL(Database):
    """PostgreSQL through libpq, which takes what the URI leaves out from PGHOST, PGPASSWORD and so on."""

    def revision(self, table: str = "alembic_version") -> str | None:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (table,))
            if cursor.fetchone() == (None,):
                return None
            cursor.execute(f"SELECT version_num FROM {table}")  # noqa: S608 (a constant)
            row = cursor.fetchone()
            return row[0] if row else None

    @contextmanager
    def lock(self, waiting: Callable[[], None]) -> Iterator[None]:
        """An advisory lock of a transaction, not of a session: PgBouncer keeps its promise only for that."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            if not _try_lock(cursor):
                waiting()
                while not _try_lock(cursor):
                    time.sleep(1)
            yield

    @contextmanager
    def connection(self) -> Iterator[Any]:
        import psycopg2

        dsn = "postgresql://" + self.uri.partition("://")[2]
        try:
            with closing(psycopg2.connect(dsn)) as connection:
                yield connection
        except psycopg2.OperationalError as error:
            raise Unreachable(" ".join(str(error).split())) from error


def _try_lock(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK_KEY,))
    return bool(cursor.fetchone()[0])


class SQLite(Database):
    """A file on the volume of the one pod that there is."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.path = Path(uri.partition(":///")[2])

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise Unreachable(str(error)) from error

    def revision(self, table: str = "alembic_version") -> str | None:
        if not self.path.exists():
            return None
        with self.connection() as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                return None
            query = f"SELECT version_num FROM {table}"  # noqa: S608 (a constant)
            row = connection.execute(query).fetchone()
            return row[0] if row else None

    @contextmanager
    def lock(self, waiting: Callable[[], None]) -> Iterator[None]:
        """No lock: on SQLite the chart runs one pod, and replaces it only when it has gone."""
        yield
