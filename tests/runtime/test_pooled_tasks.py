"""The tasks through PgBouncer in transaction mode: they work, and leave connections as they were."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from runtime.backups import Pod
from runtime.metrics import Metrics
from runtime.pooler import pgbouncer
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.tasks import RETENTION, Env, Store, run_task

CONNECTIONS = 4
SETTINGS = """
    SELECT current_setting('search_path'), current_setting('client_min_messages'),
           current_setting('row_security'), current_setting('check_function_bodies'),
           current_setting('statement_timeout')"""


def connect(where: Env) -> Any:
    """A client as a server is one."""
    keys = ("host", "port", "user", "password", "database")
    return psycopg2.connect(**{key: where[f"PG{key.upper()}"] for key in keys}, application_name="mlflow")


def settings(where: Env, count: int = CONNECTIONS) -> list[Any]:
    """Of so many connections of the pool, which have the name of a server's then."""
    clients = [connect(where) for _ in range(count)]
    found = []
    for client in clients:  # all in a transaction at once
        with client.cursor() as cursor:
            cursor.execute(SETTINGS)
            found += cursor.fetchall()
    for client in clients:
        with closing(client):
            client.rollback()
    return found


def backends(store: Store) -> set[int]:
    """Process ids of the connections of the pool."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = %s"
    return {row[0] for row in store.query(query, store.env["PGDATABASE"], store.env["PGUSER"])}


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
        connections = backends(store)
        run_task("retention", home, where, *RETENTION)
        assert store.left() == dict.fromkeys(runs, "deleted") and settings(where) == before
        assert backends(store) == connections


def test_a_restore_after_the_servers_end(
    postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path
) -> None:
    """Connections that the pooler keeps have the name of the server that used them; it has gone."""
    pod = Pod(Store(postgres, s3, {**ready_database(), **s3.environment("odd")}), home)
    with pgbouncer(pod.env, 20) as where:
        settings(where, 10)
        pod.backup(PGPORT=where["PGPORT"])
        content = pod.content()
        pod.as_owner("DROP TABLE params")
        pod.restore(PGPORT=where["PGPORT"])
        assert pod.content() == content
        named = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'mlflow'"
        assert pod.store.query(named, pod.env["PGDATABASE"]) > [(1,)], "it did not wait for their end"


def test_a_server_in_a_transaction_is_in_the_way_of_a_restore(
    postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path
) -> None:
    pod = Pod(Store(postgres, s3, {**ready_database(), **s3.environment("odd")}), home)
    with pgbouncer(pod.env, CONNECTIONS) as where:
        pod.backup(PGPORT=where["PGPORT"])
        client = connect(where)
        with client.cursor() as cursor:
            cursor.execute("SELECT 1")
        ends = threading.Timer(8, client.close)
        ends.start()
        began = time.monotonic()
        assert "as counted" in pod.restore(PGPORT=where["PGPORT"])
        assert time.monotonic() - began > 5, "it waited"


def test_a_drill(postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path) -> None:
    """In a database that it makes and drops, again and again, and in one that it is given."""
    store = Store(postgres, s3, {**ready_database(), **s3.environment("odd")})
    pod = Pod(store, home)
    names = [sql.Identifier(f"{store.env['PGDATABASE']}_{each}") for each in ("own", "given")]
    role = sql.Identifier(store.env["PGUSER"])
    postgres.query(sql.SQL("ALTER ROLE {} CREATEDB").format(role))
    postgres.query(sql.SQL("CREATE DATABASE {} OWNER {}").format(names[1], role))
    with pgbouncer(store.env, CONNECTIONS) as where:
        before = settings(where)
        pod.backup(PGPORT=where["PGPORT"])
        content = pod.content()
        for name in [*names, *names]:  # twice each
            assert "as counted" in pod.restore(f"--scratch={name.string}", PGPORT=where["PGPORT"])
        assert pod.content() == content and settings(where) == before
    assert not postgres.query("SELECT FROM pg_database WHERE datname = %s", values=[names[0].string])
    assert not postgres.query("SELECT FROM pg_tables WHERE schemaname = 'public'", names[1].string)


def test_the_exporter(postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path) -> None:
    """All that it asks of the database, again and again: each connection stays open, without its limits."""
    store = Store(postgres, s3, {**ready_database(), **s3.environment("odd")})
    store.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    store.runs(3, artifacts=False)
    pod = Pod(store, home)
    with pgbouncer(store.env, CONNECTIONS) as where:
        before = settings(where)
        pod.backup(PGPORT=where["PGPORT"])
        settings(where)
        connections = backends(store)
        env = {"MLFLOW_KUBERNETES_TASKS": "backup=108000", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"}
        metrics = Metrics(home, ("stores",), {**pod.env, **where, **env}).start().ready()
        try:
            for check in ("database", "inventory", "tasks", "jobs", "artifact_store"):
                page = metrics.until(1, f"mlflow_{check}_up")
            assert page.sum("mlflow_runs_total") == 3
            assert page.sum("mlflow_task_failed", task="backup") == 0
            assert page.sum("mlflow_database_connections", role="mlflow") >= 1
            assert settings(where) == before and backends(store) == connections
        finally:
            assert metrics.stop() == 0
