"""The migration on a real PostgreSQL: one of many pods migrates and none crashes."""

import importlib.metadata
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from runtime.network import read_until
from runtime.postgres import Postgres
from runtime.revisions import HEAD, OLDER, make_old
from runtime.server import environment, run

Database = Callable[..., dict[str, str]]
# "mlflow" in ASCII, as docs/adr/0002 documents it for those who look into pg_locks.
LOCK_KEY = 0x6D6C666C6F77


def schema(home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the step to its end."""
    process = run("schema", environment(home, **env))
    output, _ = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def revision(postgres: Postgres, where: dict[str, str]) -> str:
    """What the database says it is."""
    return str(postgres.query("SELECT version_num FROM alembic_version", where["PGDATABASE"])[0][0])


@contextmanager
def locked(where: dict[str, str]) -> Iterator[None]:
    """Hold the lock that the step takes."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
    with closing(psycopg2.connect(**{name: where[f"PG{key}"] for name, key in names.items()})) as connection:
        connection.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        yield


@pytest.mark.parametrize("back", [0, 5], ids=["empty", "five revisions old"])
def test_five_pods_at_once(postgres: Postgres, database: Database, home: Path, back: int) -> None:
    where = database()
    if back:
        make_old(where, OLDER[back - 1])
        assert revision(postgres, where) == OLDER[back - 1]
    pods = [run("schema", environment(home, **where)) for _ in range(5)]
    outputs = [pod.communicate(timeout=400)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0] * 5, outputs
    migrated = [output for output in outputs if f"the database is migrated ({HEAD})" in output]
    assert len(migrated) == 1, outputs
    assert revision(postgres, where) == HEAD
    assert "Traceback" not in "".join(outputs)


@pytest.fixture(scope="module")
def current(database: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A database of the installed MLflow."""
    where = database()
    done = schema(tmp_path_factory.mktemp("schema"), **where)
    assert done.returncode == 0, done.stdout
    return where


def test_an_up_to_date_database_costs_next_to_nothing(current: dict[str, str], home: Path) -> None:
    """It needs no lock, for which it would wait without end, and no MLflow, whose import costs seconds."""
    with locked(current):
        done = schema(home, PYTHONPROFILEIMPORTTIME="1", **current)
    lines = done.stdout.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    said = [line for line in lines if not line.startswith("import time:")]
    assert (done.returncode, said) == (0, [f"mlflow: schema: the database is up to date ({HEAD})."])
    assert "mlflow_kubernetes.stores.database" in imported
    assert not imported & {"mlflow", "alembic", "sqlalchemy"}


def test_a_migration_leaves_out_libraries_that_it_does_not_need(database: Database, home: Path) -> None:
    """They take half of the time of the imports, before the first pod of a release can start."""
    output, _ = run("schema", environment(home, PYTHONPROFILEIMPORTTIME="1", **database())).communicate()
    assert "is migrated" in output
    imported = {line.rpartition("|")[2].strip() for line in output.splitlines()}
    assert "mlflow.db" in imported
    assert not {"pandas._libs", "pyarrow.lib", "scipy"} & imported


def test_the_second_pod_waits_for_the_first(database: Database, home: Path) -> None:
    where = database()
    with locked(where):
        pod = run("schema", environment(home, **where))
        read_until(pod, "another pod migrates the database; waiting for it.")
    assert "the database is migrated" in pod.communicate(timeout=300)[0]
    assert pod.returncode == 0


def test_a_newer_database_stops_the_new_pods(postgres: Postgres, current: dict[str, str], home: Path) -> None:
    change = "UPDATE alembic_version SET version_num = %s"
    postgres.query(change, current["PGDATABASE"], ("fedcba987654",))
    try:
        done = schema(home, **current)
    finally:
        postgres.query(change, current["PGDATABASE"], (HEAD,))
    assert done.returncode == 1
    assert done.stdout == (
        "mlflow: schema: the database is at revision fedcba987654, "
        f"which MLflow {importlib.metadata.version('mlflow')} does not know; "
        "run the image version that made it or newer, old pods keep serving.\n"
    )


def test_a_migration_that_fails_changes_nothing(postgres: Postgres, database: Database, home: Path) -> None:
    where = database()
    make_old(where, OLDER[4])

    def columns() -> list[tuple[str, str]]:
        listing = "SELECT table_name, column_name FROM information_schema.columns ORDER BY 1, 2"
        return postgres.query(listing, where["PGDATABASE"])

    # All five migrations run; the last one must not write down that it did.
    fail = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$"
    postgres.query(fail, where["PGDATABASE"])
    when = f"BEFORE UPDATE ON alembic_version FOR EACH ROW WHEN (NEW.version_num = '{HEAD}')"
    postgres.query(f"CREATE TRIGGER fail {when} EXECUTE FUNCTION fail()", where["PGDATABASE"])
    before = columns()
    done = schema(home, **where)
    assert done.returncode == 1
    assert "no room" in done.stdout
    last = "mlflow: schema: the migration failed; see the lines above, old pods keep serving."
    assert done.stdout.splitlines()[-1] == last
    assert (revision(postgres, where), columns()) == (OLDER[4], before)


def test_a_database_that_comes_late(home: Path) -> None:
    late = Postgres().start()
    try:
        where = late.database("mlflow", "secret words")
        late.stop()
        pod = run("schema", environment(home, **where))
        line = read_until(pod, "waiting for the database: ")
        assert "Connection refused" in line
        late.start()
        output = pod.communicate(timeout=300)[0]
        assert pod.returncode == 0, output
        assert revision(late, where) == HEAD
    finally:
        late.remove()


def test_a_refused_password_may_be_right_soon(postgres: Postgres, database: Database, home: Path) -> None:
    where = database("the new password")
    postgres.query(f"ALTER ROLE {where['PGUSER']} PASSWORD 'the old one'")
    pod = run("schema", environment(home, **where))
    line = read_until(pod, "waiting for the database: ")
    assert "password authentication failed" in line
    assert "the new password" not in line
    postgres.query(f"ALTER ROLE {where['PGUSER']} PASSWORD 'the new password'")
    assert "the database is migrated" in pod.communicate(timeout=300)[0]


def test_it_gives_up_in_the_end(home: Path) -> None:
    nobody = {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://", "PGHOST": "127.0.0.1", "PGPORT": "1"}
    done = schema(home, MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS="3", **nobody)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("mlflow: schema: gave up after 3 s: ")
    assert "Traceback" not in done.stdout


def test_sigterm_ends_the_wait_at_once(home: Path) -> None:
    nobody = {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://", "PGHOST": "127.0.0.1", "PGPORT": "1"}
    pod = run("schema", environment(home, **nobody))
    read_until(pod, "waiting for the database: ")
    pod.terminate()
    assert "Traceback" not in pod.communicate(timeout=10)[0]


def test_the_embedded_database_is_made_where_there_is_none(home: Path) -> None:
    path = home / "volume" / "mlflow.db"
    for outcome in ("migrated", "up to date"):
        done = schema(home, MLFLOW_BACKEND_STORE_URI=f"sqlite:///{path}")
        assert (done.returncode, outcome in done.stdout) == (0, True), done.stdout
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


@pytest.mark.parametrize("uri", ["", "nosql://", "/mlflow/mlruns"])
def test_an_unknown_database_is_refused_in_words(home: Path, uri: str) -> None:
    done = schema(home, MLFLOW_BACKEND_STORE_URI=uri)
    assert done.returncode == 1
    assert done.stdout.startswith("mlflow: schema: MLFLOW_BACKEND_STORE_URI: ")
    assert done.stdout.endswith("is not supported; set mysql+pymysql://, or backendStore.postgres.\n")


def test_an_image_without_the_plugin_of_kubernetes_is_refused(current: dict[str, str], home: Path) -> None:
    """The tests' own Python has no such plugin."""
    done = schema(home, **current, MLFLOW_KUBERNETES_APP_NAME="kubernetes-auth")
    assert done.returncode == 1
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("mlflow: schema: auth.mode")]
    assert line.startswith(
        "mlflow: schema: auth.mode: kubernetes needs the package mlflow-kubernetes-plugins, "
    )
    assert line.endswith("which the image lacks; add it as docs/identity.md shows, and set image.")
