"""Starting: one clear sentence when it cannot, and an end at any moment when it is told so."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg2 import sql

from runtime.network import free_port, listens, read_until, wait_until
from runtime.postgres import Postgres
from runtime.server import FILES, Server, environment, run

Database = Callable[[], dict[str, str]]
NOBODY = {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://", "PGHOST": "127.0.0.1", "PGPORT": "1"}


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"MLFLOW_KUBERNETES_LAUNCHER": "uvicorn"}, "'uvicorn' is unknown; set direct or upstream."),
        ({"MLFLOW_KUBERNETES_APP_NAME": "mine"}, "'mine'; set basic-auth, or MLFLOW_KUBERNETES_LAUNCHER"),
        (
            {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"},
            "no background jobs; set false, MLFLOW_SERVER_JOB_EXECUTION_ENGINE=executor",
        ),
        ({"MLFLOW_KUBERNETES_THREADS": "many"}, "'many' is not a number; set a whole number above 0."),
        ({"MLFLOW_GUNICORN_OPTS": "--workers 9"}, "sets its web server itself; remove it."),
        ({"MLFLOW_STATIC_PREFIX": "mlflow"}, "must start with a slash"),
        ({"MLFLOW_STATIC_PREFIX": "/api/2.0"}, "a login does not cover /api/2.0; set another path."),
        ({"MLFLOW_BASIC_AUTH_FAIL_CLOSED": "0"}, "it must stay on; set it to true, or remove it."),
        ({"MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH": "no"}, "it must stay on; set it to true, or remove it."),
        ({"MLFLOW_BACKEND_STORE_URI": "nosql://"}, "MLflow could not open its stores"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    ready_database: Database, home: Path, setting: dict[str, str], sentence: str
) -> None:
    process = run("server", environment(home, MLFLOW_PORT=str(free_port()), **(ready_database() | setting)))
    output, _ = process.communicate(timeout=180)
    assert process.returncode not in (0, None)
    last = output.splitlines()[-1]
    assert last.startswith("mlflow: ")
    assert sentence in last


def test_a_taken_port_is_a_failure(ready_database: Database, home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = run("server", environment(home, MLFLOW_PORT=port, **ready_database()))
        output, _ = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "Address already in use" in output.splitlines()[-1]


def test_a_probe_that_connects_during_the_start_is_answered_at_its_end(
    start: Callable[..., Server], ready_database: Database, postgres: Postgres
) -> None:
    """The server cannot finish its start before the connection: its database refuses it until then."""
    env = ready_database()
    role = sql.Identifier(env["PGUSER"])
    postgres.query(sql.SQL("ALTER ROLE {} NOLOGIN").format(role))
    server = start(**env)
    wait_until("an open port", lambda: listens(server.port))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    connection.request("GET", "/health")
    assert server.workers() == []
    postgres.query(sql.SQL("ALTER ROLE {} LOGIN").format(role))
    assert connection.getresponse().status == 200


def test_garbage_is_collected_in_workers_and_not_during_the_imports(home: Path) -> None:
    script = f"""
import gc, sys
sys.path.append({str(FILES)!r})
from mlflow_kubernetes.server import direct, main
direct.serve = lambda: print(gc.isenabled())
main.direct()
direct._freeze(None)
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "True"], done.stderr


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_sigterm_ends_the_wait_for_a_database(home: Path, launcher: str) -> None:
    env = environment(home, MLFLOW_PORT=str(free_port()), MLFLOW_KUBERNETES_LAUNCHER=launcher, **NOBODY)
    process = run("server", env)
    read_until(process, "SQLAlchemy engine could not be created")
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == -15


def start_four_workers(where: dict[str, str], home: Path) -> subprocess.Popen[str]:
    return run("server", environment(home, MLFLOW_PORT=str(free_port()), MLFLOW_WORKERS="4", **where))


@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.5, 3, 5])
def test_sigterm_during_the_start(ready_database: Database, home: Path, seconds: float) -> None:
    """In an import, while stores open, at the fork, or just after: whatever comes first on this machine."""
    process = start_four_workers(ready_database(), home)
    time.sleep(seconds)
    process.terminate()
    output, _ = process.communicate(timeout=20)
    assert process.returncode in (0, -15)
    assert "Traceback" not in output


@pytest.mark.parametrize("seconds", [0, 0.02, 0.05])
def test_sigterm_as_soon_as_workers_are_forked(ready_database: Database, home: Path, seconds: float) -> None:
    """The moment in which a worker has no handler of its own yet."""
    process = start_four_workers(ready_database(), home)
    read_until(process, "Booting worker")
    time.sleep(seconds)
    process.terminate()
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in output) == (0, False), output
