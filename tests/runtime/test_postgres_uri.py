"""A PostgreSQL URI from a Secret means the same to Python and to PostgreSQL's own programs."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from runtime.backups import Pod
from runtime.conftest import ODD
from runtime.network import free_port
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import FILES, environment
from runtime.tasks import Env, Store, run_task

VARIABLE = "MLFLOW_KUBERNETES_POSTGRES_URI"
BARE = {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://"}


def place(env: Env, host: str = "127.0.0.1:{port}", scheme: str = "postgresql", more: str = "") -> Env:
    """The same database by a URI."""
    login = f"{quote(env['PGUSER'], safe='')}:{quote(env['PGPASSWORD'], safe='')}"
    address = host.format(port=env["PGPORT"], dead=free_port())
    return {**BARE, VARIABLE: f"{scheme}://{login}@{address}/{env['PGDATABASE']}{more}"}


SHAPES: dict[str, dict[str, str]] = {
    "plain": {},
    "short scheme": {"scheme": "postgres"},
    "driver of SQLAlchemy": {"scheme": "postgresql+psycopg2"},
    "options": {"more": "?sslmode=disable&application_name=a%20b&options=-c%20statement_timeout%3D60000"},
    "second of two hosts": {"host": "127.0.0.1:{dead},127.0.0.1:{port}"},
    "IPv6 and IPv4": {"host": "[::1]:{port},127.0.0.1:{port}"},
    "line break": {"more": "\n"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_schema_step_opens_it(database: Callable[..., Env], home: Path, shape: str) -> None:
    """With a password that has every odd character. What the environment says besides does not count."""
    env = place(database(ODD), **SHAPES[shape])
    wrong = {"PGHOST": "elsewhere", "PGPORT": "1", "PGUSER": "nobody", "PGPASSWORD": "x", "PGHOSTADDR": "::9"}
    log = run_task("schema", home, {**env, **wrong})
    assert "is migrated" in log and quote(ODD, safe="") not in log and ODD not in log


def test_backup_and_restore(
    postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path
) -> None:
    """Both containers of each."""
    env = {**ready_database(), **s3.environment("odd")}
    pod = Pod(Store(postgres, s3, env), home)
    pod.store.query("INSERT INTO registered_models (name, workspace) VALUES ('champion', 'default')")
    before = pod.content()
    rest = {name: value for name, value in pod.env.items() if not name.startswith("PG")}
    pod.env = {**rest, **place(env), "PGAPPNAME": "mlflow"}  # as the chart sets it
    pod.backup()
    pod.store.query("DELETE FROM registered_models")
    pod.restore()
    pod.env = {**rest, **env}
    assert pod.content() == before


@pytest.mark.parametrize(
    ("uri", "wrong"),
    [
        ("mysql://u:s3cret@h/d", "it does not begin with postgresql://"),
        ("u:s3cret@h/d", "it does not begin with postgresql://"),
        ("postgresql://u:s3cret%zz@h/d", "it cannot be read"),
        ("postgresql://u:p@s3cret@h/d", "its host, port or database is none"),
        ("postgresql://u:p/s3cret@h/d", "its host, port or database is none"),
        ("postgresql://u:s3cret@h", "it has no dbname"),
        ("postgresql://u:s3cret@/d", "it has no host"),
        ("postgresql://h/d", "it has no user"),
        ("postgresql://u:s3cret@h/d?keepalives=0", "would not obey option keepalives; remove it"),
        ("postgresql://u:s3cret@h/d?s3cret=0", "it cannot be read"),
        ("", "it does not begin with postgresql://"),
    ],
)
def test_a_uri_is_refused_without_repeating_it(home: Path, uri: str, wrong: str) -> None:
    log = run_task("schema", home, {**BARE, VARIABLE: uri}, code=1)
    assert log.startswith("mlflow: schema: the URI of backendStore.postgres.uriFromSecret: ")
    assert wrong in log and "s3cret" not in log


def test_a_command_of_kubectl_exec_opens_it_too(database: Callable[..., Env], home: Path) -> None:
    """It has the environment of the pod and no more: psycopg2 by itself, and MLflow's command line."""
    env = place(database(ODD), more="?application_name=a%20b")
    database_name = env[VARIABLE].rpartition("/")[2].partition("?")[0]
    env |= {"PGSERVICEFILE": str(home / "pg_service.conf"), "PGSERVICE": "mlflow", "PGAPPNAME": "mlflow"}
    run_task("schema", home, env)
    code = "import psycopg2; c = psycopg2.connect(''); print(c.info.dbname, c.info.dsn_parameters)"
    pod = environment(home, **env)
    done = subprocess.run([sys.executable, "-c", code], env=pod, capture_output=True, text=True)
    assert done.stdout.startswith(f"{database_name} ") and "'a b'" in done.stdout, done.stderr
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", BARE["MLFLOW_BACKEND_STORE_URI"]]
    subprocess.run(command, env=pod, check=True, capture_output=True)
    assert (home / "pg_service.conf").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("uri", "host", "port"),
    [
        ("postgresql://u@%2Frun%2Fpostgres/d", "/run/postgres", None),
        ("postgresql:///d?host=/run/postgres&user=u", "/run/postgres", None),
        ("postgresql://u@[2001:db8::1]:6432/d", "2001:db8::1", "6432"),
        ("postgresql://u@a,b:5433/d", "a,b", ",5433"),
    ],
)
def test_what_the_programs_of_a_pod_get(home: Path, uri: str, host: str, port: str | None) -> None:
    """The URI itself is gone, and a process that a program starts has the rest."""
    code = (
        "import os, sys; from mlflow_kubernetes.stores.postgres_uri import apply_postgres_uri as apply;"
        "apply('schema', os.environ); import subprocess; subprocess.run(['env', '-0'])"
    )
    env = environment(home, PYTHONPATH=str(FILES), PGPORT="1", PGHOSTADDR="::9", **{VARIABLE: uri})
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    found = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
    assert (found["PGHOST"], found.get("PGPORT"), found["PGUSER"], found["PGDATABASE"]) == (
        host,
        port,
        "u",
        "d",
    )
    assert VARIABLE not in found and "PGHOSTADDR" not in found
