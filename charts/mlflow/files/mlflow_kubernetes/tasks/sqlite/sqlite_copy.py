"""A copy of a SQLite file that is in use, and what is known of it."""

import importlib.metadata
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from mlflow_kubernetes.stores.database import SQLite
from mlflow_kubernetes.tasks.backup.facts import Facts, parse_table_names
from mlflow_kubernetes.tasks.task import TaskError

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


def copy_database(database: SQLite, target: Path) -> Facts:
    """Copy the database by SQLite's online backup, in one step; return its facts.

    Writes of the server wait for the end of the copy, as for any other write: MLflow gives them 20 seconds.
    """
    with database.connection() as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    mlflow = importlib.metadata.version("mlflow")
    server = f"SQLite {sqlite3.sqlite_version}"
    revision = SQLite(f"sqlite:///{target}").revision()
    return {"mlflow": mlflow, "revision": revision, "server": server, "rows": count_rows(target)}


def count_rows(file: Path) -> dict[str, int]:
    """Return the rows of each table, by its name as facts have it."""
    with SQLite(f"sqlite:///{file}").connection() as connection:
        names = [name for (name,) in connection.execute(TABLES)]
        return {
            f"main.{_quoted(name)}": connection.execute(
                f"SELECT count(*) FROM {_quoted(name)}"  # noqa: S608 - it is quoted
            ).fetchone()[0]
            for name in names
        }


def check_copy(file: Path, rows: Mapping[str, int]) -> None:
    """Raise TaskError unless the database is undamaged and has the rows that were counted."""
    if not file.exists():
        raise TaskError("the archive has no database; take another backup.")
    try:
        with SQLite(f"sqlite:///{file}").connection() as connection:
            found = connection.execute("PRAGMA integrity_check").fetchall()
        counted = count_rows(file)
    except sqlite3.DatabaseError as error:
        raise TaskError(f"the database of the backup is damaged: {error}; take another backup.") from error
    if found != [("ok",)]:
        raise TaskError(f"the database of the backup is damaged: {found[0][0]}; take another backup.")
    if parse_table_names(counted) != parse_table_names(rows):
        raise TaskError("the number of rows in the backup differs from its record; take another backup.")


def _quoted(name: str) -> str:
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
