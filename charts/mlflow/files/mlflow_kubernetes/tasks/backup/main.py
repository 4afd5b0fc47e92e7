"""Back the database up into the object store, as a stream: the backup CronJob."""

import argparse
import importlib.metadata
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlflow_kubernetes.stores.database import Database, connect
from mlflow_kubernetes.tasks.backup.exchange import Exchange
from mlflow_kubernetes.tasks.backup.facts import Facts
from mlflow_kubernetes.tasks.backup.new_backup import NewBackup, add_options
from mlflow_kubernetes.tasks.task import Report, Task

TABLES = """
    SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema$|mlflow_kubernetes)' ORDER BY 1"""


def back_up(task: Task, options: argparse.Namespace, exchange: Exchange) -> Report:
    """Dump, store, and remove what is too old."""
    backup = NewBackup(task, options)
    with _snapshot(task.database) as (snapshot, known):
        if options.before_migration:
            known["mlflow"] = f"before {known['mlflow']}"
        backup.store(exchange.dump(snapshot), known)
    return backup.prune()


@contextmanager
def _snapshot(database: Database) -> Iterator[tuple[str, Facts]]:
    """What pg_dump will see too, and the facts about it: a restore is right if it has as many rows."""
    revision = database.revision()
    with database.connection() as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0")
        [(snapshot, server)] = _fetch(
            cursor, "SELECT pg_export_snapshot(), current_setting('server_version')"
        )
        tables = [table for (table,) in _fetch(cursor, TABLES)]
        # format() has quoted the names.
        rows = {table: _fetch(cursor, f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608
        mlflow = importlib.metadata.version("mlflow")
        yield snapshot, {"mlflow": mlflow, "revision": revision, "server": server, "rows": rows}


def _fetch(cursor: Any, query: str) -> list[Any]:
    cursor.execute(query)
    return list(cursor.fetchall())


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--exchange", required=True, help="the folder shared with postgres.sh")
    older = "of what an older MLflow left; waits for a backup that is running"
    parser.add_argument("--before-migration", action="store_true", help=older)
    options = parser.parse_args()
    task = Task("backup", connect(os.environ["MLFLOW_BACKEND_STORE_URI"]), options.seconds)
    # Around all of it: the other container must end, too, if the work is not even begun.
    with Exchange(options.exchange) as exchange:
        return task.run(lambda: back_up(task, options, exchange), wait=options.before_migration)
