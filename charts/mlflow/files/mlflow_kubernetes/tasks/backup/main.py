"""Back the database up into the object store, as a stream: the backup CronJob."""

import argparse
import importlib.metadata
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from mlflow_kubernetes.stores.database import Database, connect
from mlflow_kubernetes.tasks.backup.catalog import NAME_FORMAT, Backups
from mlflow_kubernetes.tasks.backup.exchange import Exchange
from mlflow_kubernetes.tasks.backup.facts import Facts
from mlflow_kubernetes.tasks.task import Report, Task

TABLES = """
    SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema$|mlflow_kubernetes)' ORDER BY 1"""


def back_up(task: Task, options: argparse.Namespace, exchange: Exchange) -> Report:
    """Dump, store, and remove what is too old."""
    began, backups = time.monotonic(), Backups(os.environ, options.destination)
    name = datetime.now(timezone.utc).strftime(NAME_FORMAT)
    with _snapshot(task.database) as (snapshot, known):
        if options.before_migration:
            known["mlflow"] = f"before {known['mlflow']}"
        task.log.info(f"storing {options.destination}/{name}.dump: {sum(known['rows'].values())} rows.")
        facts = backups.put(name, exchange.dump(snapshot), known)
    task.log.info(f"stored {facts['size']} bytes, SHA-256 {facts['sha256']}.")
    for old in backups.prune(options.keep, options.keep_days):
        task.log.info(f"removed {old}.")
    return {
        "size_bytes": facts["size"],
        "rows": sum(facts["rows"].values()),
        "stored": len(backups.names()),
        "duration_seconds": round(time.monotonic() - began, 1),
    }


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
    parser.add_argument("--destination", required=True, help="s3://bucket/path and the like")
    parser.add_argument("--exchange", required=True, help="the folder shared with postgres.sh")
    parser.add_argument("--keep", type=int, required=True, help="so many always stay")
    parser.add_argument("--keep-days", type=float, required=True, help="older ones go")
    parser.add_argument("--seconds", type=int, required=True, help="until Kubernetes ends it")
    older = "of what an older MLflow left; waits for a backup that is running"
    parser.add_argument("--before-migration", action="store_true", help=older)
    options = parser.parse_args()
    task = Task("backup", connect(os.environ["MLFLOW_BACKEND_STORE_URI"]), options.seconds)
    # Around all of it: the other container must end, too, if the work is not even begun.
    with Exchange(options.exchange) as exchange:
        return task.run(lambda: back_up(task, options, exchange), wait=options.before_migration)
