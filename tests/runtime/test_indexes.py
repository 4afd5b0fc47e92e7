"""The chart's own indexes: built after the migration, and never in the way of a server or a migration."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from runtime.pooler import pgbouncer
from runtime.postgres import Postgres
from runtime.revisions import HEAD, OLDER, make_old
from runtime.server import environment, run

Env = dict[str, str]
RUNS, METRICS = "mlflow_kubernetes_runs_newest", "mlflow_kubernetes_latest_metrics_value"
LOCK_KEY = 0x6D6C666C6F77
STATES = """
    SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname LIKE 'mlflow_kubernetes_%'"""
CREATE = (
    f"CREATE INDEX CONCURRENTLY {RUNS} ON runs (experiment_id, lifecycle_stage, start_time DESC, run_uuid)"
)


def schema(home: Path, where: Env, **env: str) -> str:
    """Run the init container, which succeeds, and return its log."""
    process: subprocess.Popen[str] = run("schema", environment(home, **where, **env))
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


@contextmanager
def transaction(where: Env, statement: str, values: Any = None) -> Iterator[None]:
    """A transaction of another client, open with the snapshot of its statement."""
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
    with closing(psycopg2.connect(**{name: where[f"PG{key}"] for name, key in parts.items()})) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        connection.cursor().execute(statement, values)
        yield


@pytest.fixture
def where(ready_database: Callable[[], Env]) -> Env:
    """A database with the indexes of the default values."""
    return ready_database()


@pytest.fixture
def states(postgres: Postgres, where: Env) -> Callable[[], dict[str, bool]]:
    """Whether each index of the chart is valid."""
    return lambda: dict(postgres.query(STATES, where["PGDATABASE"]))


def test_keys_build_and_drop(home: Path, where: Env, states: Callable[[], dict[str, bool]]) -> None:
    assert states() == {RUNS: True}
    both = schema(home, where, MLFLOW_KUBERNETES_INDEXES="runs,latest_metrics")
    assert f"built the index {METRICS} on latest_metrics" in both and RUNS not in both
    assert states() == {RUNS: True, METRICS: True}
    none = schema(home, where, MLFLOW_KUBERNETES_INDEXES="")
    assert f"dropped the index {RUNS} on runs" in none
    assert states() == {}


def test_an_old_transaction_does_not_stop_the_pod(
    home: Path, where: Env, states: Callable[[], dict[str, bool]], postgres: Postgres
) -> None:
    """CREATE INDEX CONCURRENTLY waits for every older snapshot, such as that of a backup."""
    postgres.query(f"DROP INDEX {RUNS}", where["PGDATABASE"])
    with transaction(where, "SELECT count(*) FROM experiments"):
        log = schema(home, where, MLFLOW_KUBERNETES_INDEX_SECONDS="1")
        assert "the indexes are left to the next pod that starts: " in log
        assert states().get(RUNS) is not True
    assert f"built the index {RUNS} on runs" in schema(home, where)
    assert states() == {RUNS: True}


def test_a_broken_build_is_done_again(
    home: Path, where: Env, states: Callable[[], dict[str, bool]], postgres: Postgres
) -> None:
    name = where["PGDATABASE"]
    postgres.query(f"DROP INDEX {RUNS}", name)
    with (
        transaction(where, "SELECT count(*) FROM experiments"),
        closing(postgres.connect(name)) as connection,
    ):
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 500")
            with pytest.raises(psycopg2.errors.QueryCanceled):
                cursor.execute(CREATE)
    assert states() == {RUNS: False}
    schema(home, where)
    assert states() == {RUNS: True}


def test_a_pod_does_not_wait_for_the_lock(
    home: Path, where: Env, states: Callable[[], dict[str, bool]], postgres: Postgres
) -> None:
    postgres.query(f"DROP INDEX {RUNS}", where["PGDATABASE"])
    with transaction(where, "SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY]):
        assert "another pod builds them or migrates" in schema(home, where)
    assert states() == {}


def test_a_role_that_does_not_own_the_tables(
    home: Path, where: Env, postgres: Postgres, states: Callable[[], dict[str, bool]]
) -> None:
    name = where["PGDATABASE"]
    for statement in (f"DROP INDEX {RUNS}", "ALTER TABLE runs OWNER TO postgres"):
        postgres.query(statement, name)
    assert "must be owner of table runs" in schema(home, where)
    assert states() == {}


def test_migrations_with_the_index(home: Path, database: Callable[[], Env], postgres: Postgres) -> None:
    """From as far back as tests know."""
    where = database()
    name = where["PGDATABASE"]
    make_old(where, OLDER[-1])
    postgres.query(CREATE, name)
    assert f"the database is migrated ({HEAD})" in schema(home, where)
    assert dict(postgres.query(STATES, name)) == {RUNS: True}


def test_through_pgbouncer(
    home: Path, where: Env, states: Callable[[], dict[str, bool]], postgres: Postgres
) -> None:
    """Two connections: the lock's and the build's. No setting stays with either."""
    postgres.query(f"DROP INDEX {RUNS}", where["PGDATABASE"])
    with pgbouncer(where, 2) as pooled:
        with transaction(where, "SELECT count(*) FROM experiments"):
            log = schema(home, pooled, MLFLOW_KUBERNETES_INDEX_SECONDS="1")
            assert "takes longer than 1 s" in log
        assert f"built the index {RUNS} on runs" in schema(home, pooled)
    assert states() == {RUNS: True}
