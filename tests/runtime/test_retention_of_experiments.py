"""Retention of deleted experiments, made and deleted by MLflow: empty ones go, with their traces."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from runtime.metrics import Metrics
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import Server
from runtime.tasks import DAY, RETENTION, Env, Store, run_task
from runtime.test_retention_of_traces import folders, traces

ONLY_DELETED = RETENTION[1:]


@pytest.fixture
def store(postgres: Postgres, s3: S3, ready_database: Callable[[], Env]) -> Store:
    """An MLflow; its artifacts are in a folder of the bucket that only it has."""
    env = {**ready_database(), **s3.environment("plain")}
    env["MLFLOW_ARTIFACTS_DESTINATION"] = f"s3://mlflow/{env['PGDATABASE']}/experiments"
    return Store(postgres, s3, env)


@pytest.fixture
def client(
    start: Callable[..., Server], store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowClient]:
    server = start(**store.env, MLFLOW_KUBERNETES_PRESIGNED_URLS="false").ready()
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "false")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    yield MlflowClient()
    server.stop()


def experiment(client: MlflowClient, store: Store, name: str, deleted: float) -> tuple[str, str]:
    """Make one with a run, a file and two traces, deleted so many days ago. Its id, and the run's."""
    number = client.create_experiment(name)
    run = client.create_run(number).info.run_id
    client.log_text(run, "kept", "note.txt")
    traces(store, 2, 1, int(number))
    client.delete_experiment(number)
    days = int(deleted * DAY)
    store.query("UPDATE runs SET deleted_time = deleted_time - %s WHERE run_uuid = %s", days, run)
    touch = "UPDATE experiments SET last_update_time = last_update_time - %s WHERE experiment_id = %s"
    store.query(touch, days, int(number))
    return number, run


def left(store: Store) -> set[str]:
    return {str(row[0]) for row in store.query("SELECT experiment_id FROM experiments")}


def test_deleted_experiments_go(client: MlflowClient, store: Store, home: Path) -> None:
    """With runs, traces and files. Recent ones stay, and those with the keep tag, or what a model needs."""
    gone, _ = experiment(client, store, "gone", 8)
    recent, _ = experiment(client, store, "recent", 6)
    tagged, _ = experiment(client, store, "tagged", 8)
    needed, run = experiment(client, store, "needed", 8)
    audited, _ = experiment(client, store, "audited", 8)
    active = client.create_experiment("active")
    client.create_registered_model("model")
    client.create_model_version("model", f"mlflow-artifacts:/{needed}/{run}/artifacts", run_id=run)
    store.query(
        "INSERT INTO experiment_tags (key, value, experiment_id) VALUES ('keep', 'x', %s)", int(tagged)
    )
    tag = """INSERT INTO trace_tags (key, value, request_id)
             SELECT 'keep', 'audit', min(request_id) FROM trace_info WHERE experiment_id = %s"""
    store.query(tag, int(audited))
    log = run_task("retention", home, store.env, *ONLY_DELETED, "--dry-run")
    assert "dry run: would remove empty experiments: 0" in log
    log = run_task("retention", home, store.env, *ONLY_DELETED, "--batch-size=1")
    assert "1 experiments removed permanently." in log
    assert left(store) == {"0", recent, tagged, needed, audited, active}
    found = {key.split("/")[2] for key in store.objects(store.key("mlflow-artifacts:/")) if "/traces/" in key}
    assert found == {recent, tagged, needed, audited}
    assert not store.objects(store.key(f"mlflow-artifacts:/{gone}/"))
    assert (int(gone),) not in store.query("SELECT experiment_id FROM trace_info")
    assert store.task("retention")["report"]["purged_experiments"] == 1
    assert client.create_experiment("gone"), "the name is free again"


def test_the_default_experiment_stays(client: MlflowClient, store: Store, home: Path) -> None:
    client.delete_experiment("0")
    store.query("UPDATE experiments SET last_update_time = 1")
    run_task("retention", home, store.env, *ONLY_DELETED)
    assert left(store) == {"0"}
    client.restore_experiment("0")
    assert client.create_run("0")


def test_a_bucket_that_refuses_keeps_the_experiment(client: MlflowClient, store: Store, home: Path) -> None:
    number, _ = experiment(client, store, "stays", 8)
    store.query("TRUNCATE runs CASCADE")
    ids = folders(store)
    run_task("retention", home, {**store.env, "AWS_SECRET_ACCESS_KEY": "wrong"}, *ONLY_DELETED, code=1)
    assert left(store) == {"0", number} and folders(store) == ids
    metrics = Metrics(home, ("stores",), {**store.env, "MLFLOW_KUBERNETES_TASKS": "retention=3600"})
    metrics.start().ready()
    metrics.until(1, "mlflow_task_failed", task="retention")
    run_task("retention", home, store.env, *ONLY_DELETED)
    assert left(store) == {"0"}
    metrics.until(1, "mlflow_retention_purged_experiments")
    assert metrics.stop() == 0
