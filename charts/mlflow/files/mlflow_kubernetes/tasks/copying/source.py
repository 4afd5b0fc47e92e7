"""The database to copy: a SQLite file that came in, or a PostgreSQL whose URI came from a Secret."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from mlflow_kubernetes.schema.schemas import Schema
from mlflow_kubernetes.stores.database import connect
from mlflow_kubernetes.stores.postgres_uri import checked_options
from mlflow_kubernetes.tasks.task import TaskError

VARIABLE = "MLFLOW_KUBERNETES_COPY_SOURCE"


def sqlite_engine(file: Path, schema: Schema, notes: list[str]) -> Any:
    """Return the engine of a SQLite file, upgraded to the installed MLflow's schema.

    Args:
        file: Our own copy of the file.
        schema: What it has to hold.
        notes: Gets what is worth knowing.
    """
    import sqlalchemy

    uri = f"sqlite:///{file}"
    found = _check_revision(connect(uri).revision(schema.table), schema)
    if found != schema.revisions.head:
        schema.upgrade(uri)
    _remove_orphans(file, notes)
    return sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)


def postgres_engine(env: Mapping[str, str], schema: Schema) -> Any:
    """Return the engine of the PostgreSQL that the environment names, at the installed MLflow's schema."""
    import psycopg2
    import sqlalchemy

    place = _place(env)
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(**place),
        poolclass=sqlalchemy.NullPool,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection:
            found = _revision(connection, schema.table)
    except sqlalchemy.exc.OperationalError as error:
        raise TaskError(f"the source does not answer: {' '.join(str(error.orig).split())}") from None
    if _check_revision(found, schema) != schema.revisions.head:
        raise TaskError(
            f"the source is at revision {found} of an older MLflow; run `mlflow db upgrade` on a copy of it, "
            "and copy that"
        )
    return engine


def _place(env: Mapping[str, str]) -> dict[str, str]:
    """Return where it is. Nothing is left to libpq's variables: those lead to the release's own database."""
    try:
        found = checked_options(env.get(VARIABLE, "").strip())
    except ValueError as error:
        raise TaskError(f"the URI of the source: {error}") from None
    return {"port": "5432", "password": "", "sslmode": "prefer", "passfile": os.devnull, **found}


def _revision(connection: Any, table: str) -> str | None:
    import sqlalchemy

    if not sqlalchemy.inspect(connection).has_table(table):
        return None
    found: str | None = connection.execute(sqlalchemy.text(f"SELECT version_num FROM {table}")).scalar()  # noqa: S608
    return found


def _check_revision(found: str | None, schema: Schema) -> str:
    if found is None:
        raise TaskError(f"the source holds no table {schema.table}; name a database of MLflow 1.0 or newer")
    if found not in schema.revisions.known:
        raise TaskError(
            f"the source is at revision {found}, which this release's MLflow does not know; "
            "deploy the MLflow that made it, or a newer one"
        )
    return found


def _remove_orphans(file: Path, notes: list[str]) -> None:
    """Remove rows that refer to nothing, which PostgreSQL would refuse: SQLite took them."""
    with closing(sqlite3.connect(file)) as database:
        while rows := database.execute("PRAGMA foreign_key_check").fetchall():
            for table, row, parent, _ in rows:
                name = table.replace('"', '""')
                database.execute(f'DELETE FROM "{name}" WHERE rowid = ?', (row,))  # noqa: S608 - quoted
                note = f"left out of {table}: rows whose row in {parent} is gone"
                if note not in notes:
                    notes.append(note)
            database.commit()
