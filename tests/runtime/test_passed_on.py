"""What MLflow's own variables switch on, as `mlflow.env` passes them on: workspaces, a read replica."""

import uuid
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import Server
from runtime.tasks import RETENTION, Env, Store, run_task

pytestmark = pytest.mark.xdist_group("start")


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
    run_task("retention.py", home, store.env, *RETENTION)
    store.query("UPDATE runs SET deleted_time = 1")
    run_task("retention.py", home, store.env, *RETENTION)
    assert (store.left(), written(store)) == ({}, set())


def written(store: Store) -> set[str]:
    """The artifacts of all workspaces."""
    return store.objects(store.key("mlflow-artifacts:/workspaces"))


def test_a_replica_needs_no_password_of_its_own(
    start: Callable[..., Server], ready_database: Callable[[], Env], postgres: Postgres
) -> None:
    """Its address says what differs; libpq has the rest. A copy that nobody replicates shows who is asked."""
    primary = ready_database()
    name = f"{primary['PGDATABASE']}_replica"
    postgres.copy(primary, name)
    uri = f"postgresql+psycopg2://127.0.0.1/{name}"
    client = MlflowClient(start(**primary, MLFLOW_READ_REPLICA_BACKEND_STORE_URI=uri).ready().url)
    client.create_experiment("written")
    count = "SELECT count(*) FROM experiments WHERE name = 'written'"
    assert [postgres.query(count, each) for each in (primary["PGDATABASE"], name)] == [[(1,)], [(0,)]]
    assert client.get_experiment_by_name("written") is None
