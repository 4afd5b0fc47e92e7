"""Restore a backup: into MLflow's database while no server runs, or as a drill into a scratch database.

The database is replaced in one transaction, and only after the dump was found undamaged and the rights of
MLflow's role sufficient: whatever goes wrong, it is as it was. A drill checks the same rights.
"""

import argparse
import os
import time
from contextlib import closing
from typing import Any

from mlflow_kubernetes.stores.database import connect
from mlflow_kubernetes.tasks.backup.catalog import Backups
from mlflow_kubernetes.tasks.backup.exchange import Exchange
from mlflow_kubernetes.tasks.backup.facts import Facts
from mlflow_kubernetes.tasks.owner_check import check_owner
from mlflow_kubernetes.tasks.restore import sql
from mlflow_kubernetes.tasks.restore.contents import select_entries
from mlflow_kubernetes.tasks.restore.rights import check_rights
from mlflow_kubernetes.tasks.restore.scratch import ScratchDatabase
from mlflow_kubernetes.tasks.task import Report, Task, TaskError

# Seconds for connections to end: a look of the exporter at the database takes a moment.
DISCONNECT_SECONDS = 60
SERVER_CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid()
    AND (state <> 'idle' OR NOT %s)"""


class Restore:
    """One restore, with the settings of the command line."""

    def __init__(self, task: Task, options: argparse.Namespace, server: str, exchange: Exchange) -> None:
        self.task = task
        self.options = options
        self.server = server
        self.exchange = exchange

    def work(self) -> Report:
        """Check the dump, then replace the database by it."""
        if not self.options.scratch:
            check_owner(self.task.database, os.environ)
        began, backups = time.monotonic(), Backups(os.environ, self.options.source)
        facts = backups.facts(self.options.backup)
        self.task.log.info(f"checking {self.options.source}/{facts['name']}.dump, {facts['size']} bytes.")
        contents = self.exchange.contents(backups.chunks(facts))
        self._check_rights(contents, facts)
        if self.options.scratch:
            with ScratchDatabase(self.task, self.options.scratch):
                self._restore(backups, facts, contents, self.options.scratch)
        else:
            self._wait_for_disconnects()
            self._restore(backups, facts, contents, os.environ["PGDATABASE"])
        rows = sum(facts["rows"].values())
        self.task.log.info(
            f"restored {facts['name']}: {len(facts['rows'])} tables with {rows} rows, as counted."
        )
        return {"rows": rows, "duration_seconds": round(time.monotonic() - began, 1)}

    def _check_rights(self, contents: str, facts: Facts) -> None:
        with self.task.database.connection() as connection, connection.cursor() as cursor:
            check_rights(cursor, select_entries(contents, cursor, cursor), facts["rows"])

    def _restore(self, backups: Backups, facts: Facts, contents: str, database: str) -> None:
        import psycopg2

        self.task.log.info(f"restoring into database {database}; until its end nothing changes.")
        with (
            closing(psycopg2.connect(dbname=database)) as connection,
            connection,
            connection.cursor() as cursor,
            self.task.database.connection() as own,
            own.cursor() as mlflow,
        ):
            files = {
                "database": database,
                "list": select_entries(contents, cursor, mlflow),
                "before.sql": sql.before_dump(cursor),
                "after.sql": sql.after_dump(cursor, facts["rows"]),
            }
        self.exchange.restore(backups.chunks(facts), files)

    def _wait_for_disconnects(self) -> None:
        deadline = time.monotonic() + DISCONNECT_SECONDS
        while count := self._count_server_connections():
            if time.monotonic() > deadline:
                raise TaskError(
                    f"{count} connections of {self.server} are open; scale its Deployments to 0 first, "
                    "or let `mlflowops restore` do it."
                )
            time.sleep(1)

    def _count_server_connections(self) -> int:
        with self.task.database.connection() as connection, connection.cursor() as cursor:
            cursor.execute(SERVER_CONNECTIONS, (self.server, _is_pooled(connection, cursor)))
            found: tuple[Any, ...] = cursor.fetchone()
            return int(found[0])


def _is_pooled(connection: Any, cursor: Any) -> bool:
    """Return whether a pooler such as PgBouncer is in between, which gives clients process ids of its own.

    Its idle connections keep the name of the last client, a server that may have ended long ago.
    """
    cursor.execute("SELECT pg_backend_pid()")
    return bool(cursor.fetchone() != (connection.info.backend_pid,))


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="s3://bucket/path")
    parser.add_argument("--exchange", required=True, help="the folder shared with postgres.sh")
    parser.add_argument("--backup", default="latest", help="the name of one, or latest")
    parser.add_argument("--scratch", default="", help="a database to try it in")
    parser.add_argument("--seconds", type=int, required=True, help="until Kubernetes ends it")
    options = parser.parse_args()
    # By this name connections of the server are told from this process' own.
    server, os.environ["PGAPPNAME"] = os.environ["PGAPPNAME"], "mlflow-restore"
    database = connect(os.environ["MLFLOW_BACKEND_STORE_URI"])
    task = Task("drill" if options.scratch else "restore", database, options.seconds)
    # Around all of it: the other container must end, too, if the work is not even begun.
    with Exchange(options.exchange) as exchange:
        return task.run(Restore(task, options, server, exchange).work)
