"""With `mlflow.log.format: json` every line of every program is JSON, also when it fails."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from runtime.backups import Pod
from runtime.jobs import JOBS, Runner
from runtime.metrics import Metrics
from runtime.network import free_port, wait_until
from runtime.postgres import Postgres
from runtime.s3 import BUCKET, S3
from runtime.server import FILES, Server, environment, run
from runtime.tasks import RETENTION, Store, run_task

JSON = {"MLFLOW_KUBERNETES_LOG_FORMAT": "json"}


def records(text: str) -> list[dict[str, Any]]:
    """The lines of a log; one that is not JSON fails the test, and so does a log without lines."""
    found = [json.loads(line) for line in text.splitlines()]
    assert found
    for record in found:
        assert record.keys() >= {"time", "level", "logger", "message"}, record
    return found


def messages(text: str, logger: str) -> str:
    """What one logger wrote."""
    return "\n".join(
        each["message"] for each in records(text) if each["logger"] == f"mlflow-kubernetes.{logger}"
    )


@pytest.fixture
def store(postgres: Postgres, s3: S3, ready_database: Callable[[], dict[str, str]], home: Path) -> Store:
    place = {"MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/{home.name}"}
    filled = Store(postgres, s3, {**ready_database(), **s3.environment("plain"), **place, **JSON})
    filled.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    return filled


def ended(program: str, home: Path, **env: str) -> tuple[int, str]:
    process = run(program, environment(home, **JSON, **env))
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def test_backup_restore_and_drill(postgres: Postgres, store: Store, home: Path) -> None:
    pod = Pod(store, home)
    postgres.query(f"ALTER ROLE {store.env['PGUSER']} CREATEDB")
    assert "stored " in messages(pod.backup(), "backup")
    assert "restored " in messages(pod.restore("--scratch=mlflow_drill"), "drill")
    assert "restored " in messages(pod.restore(), "restore")
    assert "no backup 'none'" in messages(pod.restore("--backup=none", code=1), "restore")
    failed = records(pod.backup(code=1, AWS_SECRET_ACCESS_KEY="wrong"))[-1]
    assert failed["level"] == "ERROR" and "Traceback" in failed["exception"]


def test_retention(store: Store, home: Path) -> None:
    store.runs(3, ended=100)
    log = run_task("retention", home, store.env, *RETENTION)
    assert "3 runs deleted." in messages(log, "retention")


def test_a_migration(home: Path) -> None:
    """Alembic, MLflow and what they print included."""
    where = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{home}/mlflow.db"}
    code, log = ended("schema", home, **where)
    assert code == 0 and "is migrated" in messages(log, "schema")
    assert [each for each in records(log) if not each["logger"].startswith("mlflow-kubernetes.")]


@pytest.mark.parametrize(
    ("program", "part", "env", "words"),
    [
        ("schema", "schema", {"MLFLOW_BACKEND_STORE_URI": "oracle://db"}, "MLFLOW_BACKEND_STORE_URI: "),
        ("server", "server", {"MLFLOW_STATIC_PREFIX": "/static"}, "MLFLOW_STATIC_PREFIX: "),
        ("server", "server", {"MLFLOW_WORKERS": "none"}, "MLFLOW_WORKERS: "),
        ("jobs", "jobs", {"MLFLOW_CRYPTO_KEK_PASSPHRASE": "short"}, "MLFLOW_CRYPTO_KEK_PASSPHRASE: "),
        ("metrics", "metrics", {}, "are not its parts"),
    ],
)
def test_refused_settings(home: Path, program: str, part: str, env: dict[str, str], words: str) -> None:
    code, log = ended(program, home, **env)
    assert code == 1
    assert words in messages(log, part)
    assert records(log)[-1]["level"] == "ERROR"


def test_metrics(store: Store, home: Path) -> None:
    exporter = Metrics(home, ("stores",), {**store.env, "PGPORT": str(free_port())}).start()
    wait_until("its first look", lambda: "the database: " in exporter.log.read_text())
    assert exporter.stop() == 0
    assert "stores on port" in messages(exporter.log.read_text(), "metrics")


def test_jobs_and_the_processes_they_start(store: Store, home: Path) -> None:
    with Runner(home, {**store.env, **JOBS}) as runner:
        wait_until("its start", lambda: "the runner has started" in runner.log.read_text())
    assert "the runner has started." in messages(runner.log.read_text(), "jobs")


def test_what_other_processes_print_is_a_record(home: Path) -> None:
    code = (
        "import subprocess, sys, time; sys.path.append(sys.argv[1]);"
        "from mlflow_kubernetes.log.child_output import capture_child_output; capture_child_output();"
        "subprocess.run(['sh', '-c', 'echo out; echo err >&2; printf end']);"
        "print('own'); time.sleep(1)"
    )
    command = [sys.executable, "-c", code, str(FILES)]
    done = subprocess.run(command, env=environment(home, **JSON), capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert set(messages(done.stderr, "print").splitlines()) >= {"out", "err", "own"}


def test_launcher_upstream(start: Callable[..., Server], store: Store) -> None:
    """Its start, requests, errors of MLflow, a worker that dies, its end."""
    env = {**store.env, "MLFLOW_KUBERNETES_ACCESS_LOG": "true", "MLFLOW_WORKERS": "2"}
    server = start(MLFLOW_KUBERNETES_LAUNCHER="upstream", **env).ready()
    for path in ("/api/2.0/mlflow/experiments/get?experiment_id=0", "/api/2.0/mlflow/runs/get?run_id=none"):
        requests.get(server.url + path, headers={"X-Request-ID": "the-request"}, timeout=60)
    requests.post(f"{server.url}/api/2.0/mlflow/runs/create", b"{", timeout=60)
    requests.get(f"{server.url}/v1/traces", timeout=60)
    (uvicorn,) = server.workers()
    worker = max(children(uvicorn))
    os.kill(worker, 9)
    wait_until("a worker in its place", lambda: len(set(children(uvicorn)) - {worker}) > 2)
    store.query("ALTER TABLE experiments RENAME TO gone")
    requests.get(f"{server.url}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=60)
    assert server.stop() == 0
    found = records(server.log.read_text())
    requested = [each for each in found if each["logger"] == "mlflow.access"]
    assert [each["status"] for each in requested if each["request_id"] == "the-request"] == [200, 404]
    assert requested[-1]["status"] >= 400
    assert "uvicorn.error" in {each["logger"] for each in found}


def children(pid: int) -> list[int]:
    """The processes that one has started: uvicorn's workers, and Python's tracker of what they share."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
