"""The tasks through PgBouncer in transaction mode: they work, and leave connections as they were."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from runtime.backups import Pod
from runtime.pooler import pgbouncer
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.tasks import RETENTION, Env, Store, run_task

CONNECTIONS = 4
SETTINGS = """
    SELECT current_setting('search_path'), current_setting('client_min_messages'),
           current_setting('row_security'), current_setting('check_function_bodies')"""


def settings(where: Env) -> list[Any]:
    """Of each connection of the pool."""
    keys = ("host", "port", "user", "password", "database")
    clients = [
        psycopg2.connect(**{key: where[f"PG{key.upper()}"] for key in keys}) for _ in range(CONNECTIONS)
    ]
    found = []
    for client in clients:  # all in a transaction at once
        with client.cursor() as cursor:
            cursor.execute(SETTINGS)
            found += cursor.fetchall()
    for client in clients:
        with closing(client):
            client.rollback()
    return found


def test_a_restore_and_a_retention_leave_the_pool_as_it_was(
    postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path
) -> None:
    store = Store(postgres, s3, {**ready_database(), **s3.environment("odd")})
    store.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    runs = store.runs(20, ended=99, artifacts=False)
    pod = Pod(store, home)
    with pgbouncer(store.env, CONNECTIONS) as where:
        before = settings(where)
        pod.backup(PGPORT=where["PGPORT"])
        content = pod.content()
        pod.as_owner("DROP TABLE params")
        assert "as counted" in pod.restore(PGPORT=where["PGPORT"])
        assert pod.content() == content and settings(where) == before
        run_task("retention", home, where, *RETENTION)
        assert store.left() == dict.fromkeys(runs, "deleted") and settings(where) == before
