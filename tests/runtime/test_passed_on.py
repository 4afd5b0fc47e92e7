"""What MLflow's own variables switch on, passed on by `mlflow.env`: workspaces, archival, a read replica."""

import uuid
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from runtime.jobs import JOBS, Runner
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import Server
from runtime.tasks import RETENTION, Env, Store, run_task
from runtime.traces import trace


def test_workspaces(
    start: Callable[..., Server],
    ready_database: Callable[[], Env],
    postgres: Postgres,
    s3: S3,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has experiments and artifacts of its own; retention works in all of them."""
    place = f"s3://mlflow/{uuid.uuid4().hex[:8]}"
    own = {"MLFLOW_ARTIFACTS_DESTINATION": place, "MLFLOW_ENABLE_WORKSPACES": "true"}
    store = Store(postgres, s3, {**ready_database(), **s3.environment("plain"), **own})
    for name, value in {"TRACKING_URI": start(**store.env).ready().url, "WORKSPACE": "default"}.items():
        monkeypatch.setenv(f"MLFLOW_{name}", value)
    mlflow.create_workspace("team")
    for workspace in ("default", "team"):
        monkeypatch.setenv("MLFLOW_WORKSPACE", workspace)
        client = MlflowClient()
        run = client.create_run(client.create_experiment("of one name"))
        client.log_text(run.info.run_id, "words", "note.txt")
        assert len(client.search_experiments(filter_string="name = 'of one name'")) == 1
    assert len(written(store)) == 2
    store.query("UPDATE runs SET status = 'FINISHED', end_time = 1")
    run_task("retention", home, store.env, *RETENTION)
    store.query("UPDATE runs SET deleted_time = 1")
    run_task("retention", home, store.env, *RETENTION)
    assert (store.left(), written(store)) == ({}, set())


def written(store: Store) -> set[str]:
    """The artifacts of all workspaces."""
    return store.objects(store.key("mlflow-artifacts:/workspaces"))


ARCHIVAL = "trace_archival: {enabled: true, location: %s, retention: 1d, interval_seconds: 1}"


def test_old_traces_are_archived(
    start: Callable[..., Server], ready_database: Callable[[], Env], postgres: Postgres, s3: S3, home: Path
) -> None:
    """By the pod of background jobs, where the mounted file says. The server goes on showing them."""
    place = f"s3://mlflow/{uuid.uuid4().hex[:8]}"
    (home / "archival.yaml").write_text(ARCHIVAL % place)
    own = {**JOBS, "MLFLOW_TRACE_ARCHIVAL_CONFIG": str(home / "archival.yaml")}
    store = Store(postgres, s3, {**ready_database(), **s3.environment("plain"), **own})
    url = start(**store.env).ready().url
    old = trace(url)
    where = "SELECT value FROM trace_tags WHERE key = 'mlflow.trace.spansLocation'"
    assert store.query(where) == [("TRACKING_STORE",)]
    with Runner(home, store.env):
        wait_until("the archive", lambda: store.query(where) == [("ARCHIVE_REPO",)])
    assert len(store.objects(store.key(place))) == 1
    assert [span.name for span in MlflowClient(url).get_trace(old).data.spans] == ["answer"]


def test_a_replica_needs_no_password_of_its_own(
    start: Callable[..., Server], ready_database: Callable[[], Env], postgres: Postgres
) -> None:
    """Its address says what differs; libpq has the rest. A copy without replication shows which is asked."""
    primary = ready_database()
    name = f"{primary['PGDATABASE']}_replica"
    postgres.copy(primary, name)
    uri = f"postgresql+psycopg2://127.0.0.1/{name}"
    client = MlflowClient(start(**primary, MLFLOW_READ_REPLICA_BACKEND_STORE_URI=uri).ready().url)
    client.create_experiment("written")
    count = "SELECT count(*) FROM experiments WHERE name = 'written'"
    assert [postgres.query(count, each) for each in (primary["PGDATABASE"], name)] == [[(1,)], [(0,)]]
    assert client.search_experiments(filter_string="name = 'written'") == []
