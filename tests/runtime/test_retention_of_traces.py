"""Retention of traces: old ones are gone from database and bucket, kept and recent ones stay."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.metrics import Metrics
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.tasks import DAY, RETENTION, Env, Store, run_task

DAYS = ["--traces-days=30", *RETENTION[1:]]
INSERT = """
    INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status)
    SELECT id, %s, %s, 'OK' FROM unnest(%s::text[]) id"""
LOCATION = """
    INSERT INTO trace_tags (key, value, request_id)
    SELECT 'mlflow.artifactLocation', %s || '/traces/' || id || '/artifacts', id FROM unnest(%s::text[]) id"""
ROWS = """
    SELECT count(*) FROM trace_tags WHERE request_id NOT IN (SELECT request_id FROM trace_info)"""


@pytest.fixture
def store(postgres: Postgres, s3: S3, ready_database: Callable[[], Env]) -> Store:
    """Two experiments, with artifacts in a folder of the bucket that only this MLflow has."""
    env = {**ready_database(), **s3.environment("plain")}
    env["MLFLOW_ARTIFACTS_DESTINATION"] = f"s3://mlflow/{env['PGDATABASE']}/{uuid.uuid4().hex[:8]}"
    filled = Store(postgres, s3, env)
    for number in (0, 1):
        filled.query(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
            "VALUES (%s, %s, %s, 'active')",
            number,
            f"experiment {number}",
            f"mlflow-artifacts:/{number}",
        )
    return filled


def traces(store: Store, count: int, days: float, experiment: int = 0, *, location: bool = True) -> list[str]:
    """Add traces that began so many days ago, with a file each."""
    ids = [f"tr-{uuid.uuid4().hex}" for _ in range(count)]
    store.query(INSERT, experiment, int(time.time() * 1000 - days * DAY), ids)
    if location:
        address = f"mlflow-artifacts:/{experiment}"
        store.query(LOCATION, address, ids)
        store.put([store.key(f"{address}/traces/{each}/artifacts/traces.json") for each in ids])
    return ids


def left(store: Store) -> set[str]:
    return {row[0] for row in store.query("SELECT request_id FROM trace_info")}


def folders(store: Store) -> set[str]:
    keys = store.objects(store.key("mlflow-artifacts:/"))
    return {part for key in keys for part in key.split("/") if part.startswith("tr-")}


def test_old_traces_go_with_their_artifacts(store: Store, home: Path) -> None:
    """In batches, of several experiments; the keep tag keeps."""
    recent, kept, refused = traces(store, 3, 29), traces(store, 2, 400), traces(store, 2, 400)
    traces(store, 7, 31)
    traces(store, 5, 99, experiment=1)
    traces(store, 2, 31, location=False)
    for tag, ids in (("because of the audit", kept), ("False", refused)):
        for each in ids:
            store.query("INSERT INTO trace_tags (key, value, request_id) VALUES ('keep', %s, %s)", tag, each)
    runs = store.runs(2, ended=400)
    log = run_task("retention", home, store.env, *DAYS, "--batch-size=4")
    assert "traces that began more than 30 days ago: 16." in log and "16 traces removed permanently." in log
    assert left(store) == folders(store) == {*recent, *kept}
    assert store.query(ROWS) == [(0,)] and store.left() == dict.fromkeys(runs, "active")
    report = store.task("retention")["report"]
    assert (report["due_traces"], report["purged_traces"]) == (16, 16)
    metrics = Metrics(home, ("stores",), {**store.env, "MLFLOW_KUBERNETES_TASKS": "retention=3600"})
    page = metrics.start().ready().until(0, "mlflow_task_failed", task="retention")
    assert page.sum("mlflow_retention_purged_traces") == 16
    assert metrics.stop() == 0


def test_a_dry_run_removes_no_trace(store: Store, home: Path) -> None:
    ids = set(traces(store, 3, 31))
    log = run_task("retention", home, store.env, *DAYS, "--dry-run")
    assert "dry run: would remove traces that began more than 30 days ago: 3." in log
    assert left(store) == folders(store) == ids
    assert store.task("retention")["report"]["purged_traces"] == 0


def test_without_days_traces_stay(store: Store, home: Path) -> None:
    ids = set(traces(store, 3, 4000))
    run_task("retention", home, store.env, *RETENTION)
    assert left(store) == folders(store) == ids


def test_an_address_that_is_no_traces_own_is_not_emptied(store: Store, home: Path) -> None:
    broken, _ = traces(store, 2, 31)
    store.query("UPDATE trace_tags SET value = 'mlflow-artifacts:/0' WHERE request_id = %s", broken)
    log = run_task("retention", home, store.env, *DAYS, code=1)
    assert left(store) == {broken} and broken in folders(store)
    assert f"mlflow: retention: {broken}: ValueError" in log and "is not a folder of" in log


def test_a_bucket_that_refuses_keeps_the_traces(store: Store, home: Path) -> None:
    ids = set(traces(store, 12, 31))
    log = run_task("retention", home, {**store.env, "AWS_SECRET_ACCESS_KEY": "wrong"}, *DAYS, code=1)
    assert "10 could not be removed" in log and left(store) == ids
    run_task("retention", home, store.env, *DAYS)
    assert not left(store) and not folders(store)
