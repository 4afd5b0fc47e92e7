"""Retention: what may go is gone from database and bucket, what a model needs stays, on real stores."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from runtime.metrics import Metrics
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import Server
from runtime.tasks import RETENTION, Env, Store, holding, run_task


@pytest.fixture
def store(postgres: Postgres, s3: S3, ready_database: Callable[[], Env]) -> Store:
    """An empty MLflow; its artifacts are in a folder of the bucket that only it has."""
    env = {**ready_database(), **s3.environment("plain")}
    env["MLFLOW_ARTIFACTS_DESTINATION"] = f"s3://mlflow/{env['PGDATABASE']}/{uuid.uuid4().hex[:8]}"
    filled = Store(postgres, s3, env)
    filled.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    return filled


def retention(store: Store, folder: Path, *more: str, code: int = 0, **env: str) -> str:
    return run_task("retention", folder, {**store.env, **env}, *RETENTION, *more, code=code)


@pytest.fixture
def server(start: Callable[..., Server], store: Store) -> Iterator[Server]:
    running = start(**store.env)
    yield running.ready()
    running.stop()


# Through the server, not by addresses of the store.
CLIENT = {
    "MLFLOW_TRACKING_URI": "",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
}


def test_five_thousand_runs(
    store: Store, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recent, old, in the trash for long and for short; 20 versions from runs and logged models; trees."""
    for name, value in CLIENT.items():
        monkeypatch.setenv(name, value or server.url)
    client = MlflowClient()
    bare = store.runs(2280, ended=89, artifacts=False) + store.runs(1880, ended=91, artifacts=False)
    recent, old = store.runs(20, ended=89), store.runs(120, ended=91)
    fresh, trash = store.runs(100, ended=200, deleted=6), store.runs(500, ended=200, deleted=8)
    direct = f"{store.env['MLFLOW_ARTIFACTS_DESTINATION']}/direct"
    store.runs(100, ended=200, deleted=8, place=direct)
    versions = [register_run(client, run) for run in [*old[:8], *trash[:2]]]
    # Servers of old took a source without its run.
    store.query("UPDATE model_versions SET run_id = NULL WHERE run_id = ANY (%s)", old[:4])
    versions += [register_model(client, store, run) for run in [*old[8:14], *trash[2:6]]]
    assert len(versions) == 20 and len(store.left()) == 5000
    unused = [log_model(client, store, run) for run in trash[6:8]]
    store.child_of(old[20], *old[21:30])
    store.child_of(old[0], *old[30:35])
    store.child_of(old[35], *old[36:39])
    store.child_of(old[38], old[39])
    versions.append(register_run(client, old[39]))

    log = retention(store, home)

    with_version = {*old[:14], old[39]}
    active = {*bare[:2280], *recent, *with_version, old[35], old[38]}
    trashed = {*bare[2280:], *fresh, *trash[:6], *old} - active
    assert store.left() == {**dict.fromkeys(active, "active"), **dict.fromkeys(trashed, "deleted")}
    keys = store.objects(store.key("mlflow-artifacts:/"))
    folders = {key.split("/")[3] for key in keys}
    assert folders == {*recent, *old, *fresh, *trash[:6], "models"}
    models = {version.source.removeprefix("models:/") for version in versions if "models:/" in version.source}
    assert {key.split("/models/")[1].split("/")[0] for key in keys if "/models/" in key} == models
    assert {model for (model,) in store.query("SELECT model_id FROM logged_models")} == models
    assert len(models) == 10 and all(loads(version, home) for version in versions)
    assert store.query("SELECT count(*) FROM metrics WHERE run_uuid NOT IN (SELECT run_uuid FROM runs)") == [
        (0,)
    ]
    assert store.task("retention")["report"] == {
        "due_runs": 1983, "kept_runs": 17, "deleted_runs": 1983, "purged_runs": 594,
        "purged_models": len(unused), "purged_experiments": 0,
    }  # fmt: skip
    assert "mlflow: retention: 1983 runs deleted." in log


def test_nothing_is_left_to_do_the_second_time(store: Store, home: Path) -> None:
    store.runs(3, ended=91)
    assert "3 runs deleted." in retention(store, home, "--grace-days=0")
    assert "3 runs removed permanently." in retention(store, home, "--grace-days=0")
    assert not store.left()
    retention(store, home)
    assert store.task("retention")["report"]["deleted_runs"] == 0


def register_run(client: MlflowClient, run: str) -> Any:
    name = f"model-{run[:6]}"
    client.create_registered_model(name)
    version = client.create_model_version(name, f"runs:/{run}/model", run_id=run)
    client.set_registered_model_alias(name, "champion", version.version)
    return version


def log_model(client: MlflowClient, store: Store, run: str) -> str:
    """An MLflow 3 model, with a folder of its own, as flavors log them."""
    if store.left()[run] == "active":
        model = client.create_logged_model("0", "model", source_run_id=run)
    else:
        client.restore_run(run)
        model = client.create_logged_model("0", "model", source_run_id=run)
        client.delete_run(run)
        store.query(
            "UPDATE runs SET deleted_time = deleted_time - 8 * 86400000::bigint WHERE run_uuid = %s", run
        )
    store.put([store.key(model.artifact_location) + "/MLmodel"])
    return model.model_id


def register_model(client: MlflowClient, store: Store, run: str) -> Any:
    model = log_model(client, store, run)
    client.finalize_logged_model(model, "READY")
    client.create_registered_model(f"model-{run[:6]}")
    return client.create_model_version(f"model-{run[:6]}", f"models:/{model}", model_id=model)


def loads(version: Any, home: Path) -> bool:
    """The model's file comes out of the server, by the version's name."""
    from mlflow.artifacts import download_artifacts

    address = f"models:/{version.name}/{version.version}"
    folder = download_artifacts(address, dst_path=str(home / version.name))
    return Path(folder, "MLmodel").read_text() == "artifact_path: model\n"


def test_a_dry_run_changes_nothing(store: Store, home: Path) -> None:
    runs = {*store.runs(3, ended=91), *store.runs(12, ended=99, deleted=8)}
    stages, keys = store.left(), store.objects()
    log = retention(store, home, "--dry-run")
    assert "3 runs ended more than 90 days ago and may go" in log
    assert "dry run: would delete runs: 3 (" in log and "dry run: would remove runs: 12 (" in log
    assert set(stages) == runs and store.left() == stages and store.objects() == keys
    assert store.task("retention")["report"]["due_runs"] == 3


def test_what_is_kept(store: Store, home: Path) -> None:
    """Runs without an end, tagged ones with their children, children of a parent that still grows."""
    running = store.runs(1, status="RUNNING", artifacts=False)
    tagged, refused = (store.runs(2, ended=91, artifacts=False) for _ in range(2))
    growing, old = store.runs(1, ended=1, artifacts=False), store.runs(4, ended=91, artifacts=False)
    store.tag(tagged[0], "keep", "because of the audit")
    store.child_of(tagged[0], tagged[1])
    store.tag(refused[0], "keep", "False")
    store.child_of(growing[0], old[0])
    store.child_of(old[1], growing[0])
    retention(store, home)
    kept = [*running, *tagged, *growing, *old[:2]]
    gone = [*refused, *old[2:]]
    assert store.left() == {**dict.fromkeys(kept, "active"), **dict.fromkeys(gone, "deleted")}


def test_only_what_people_deleted_is_removed(store: Store, home: Path) -> None:
    """However old the others are."""
    kept = [*store.runs(3, ended=4000), *store.runs(2, ended=4000, deleted=6)]
    gone = store.runs(4, ended=4000, deleted=8)
    stages = {run: stage for run, stage in store.left().items() if run in kept}
    log = run_task("retention", home, store.env, *RETENTION[1:])
    assert "no run is deleted by its age" in log and "4 runs removed permanently." in log
    assert store.left() == stages and not [key for key in store.objects() if set(key.split("/")) & set(gone)]
    report = store.task("retention")["report"]
    assert (report["due_runs"], report["deleted_runs"], report["purged_runs"]) == (0, 0, 4)


def test_a_store_that_refuses(store: Store, home: Path) -> None:
    """The runs stay, the job fails, and the next one goes on."""
    runs = store.runs(12, ended=99, deleted=8)
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
    log = retention(store, home, code=1, **wrong)
    assert "SignatureDoesNotMatch" in log and "mlflow: retention: 10 could not be removed" in log
    assert "wrong" not in log and set(store.left()) == set(runs)
    note = store.task("retention")
    assert note["failed"] and not note["succeeded"] and "10 could not be removed" in note["error"]
    retention(store, home)
    assert not store.left() and store.task("retention")["error"] is None


def test_one_that_cannot_be_removed_stops_no_other(store: Store, home: Path) -> None:
    """An address that is not the run's own folder is never emptied."""
    store.runs(3, ended=99, deleted=8)
    (broken,) = store.runs(1, ended=99, deleted=9)
    store.query("UPDATE runs SET artifact_uri = 'mlflow-artifacts:/0' WHERE run_uuid = %s", broken)
    log = retention(store, home, "--batch-size=1", code=1)
    assert list(store.left()) == [broken]
    assert f"mlflow: retention: {broken}: ValueError" in log and "is not a folder of" in log


def test_an_address_that_leads_out_of_its_run_is_never_emptied(store: Store, home: Path) -> None:
    kept = home / "artifacts" / "kept" / "file"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    steps = ["..", "%2e%2e", "%252E%252e", "x/..%2f..", "..%5c.."]
    runs = store.runs(len(steps), ended=99, deleted=9, artifacts=False)
    for run, step in zip(runs, steps, strict=True):
        (home / "artifacts" / run).mkdir()
        address = f"mlflow-artifacts:/{run}/{step}/kept"
        store.query("UPDATE runs SET artifact_uri = %s WHERE run_uuid = %s", address, run)
    log = retention(store, home, code=1, MLFLOW_ARTIFACTS_DESTINATION=f"file://{home}/artifacts")
    assert log.count("is not a folder of") == len(steps) and set(store.left()) == set(runs)
    assert kept.exists()


def test_what_the_database_holds_is_no_line_of_the_log(store: Store, home: Path) -> None:
    store.runs(1, ended=91, artifacts=False)
    same = "name, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id"
    strange = "x\nmlflow: retention: y\x1b[2J"
    store.query(f"INSERT INTO runs (run_uuid, {same}) SELECT %s, {same} FROM runs", strange)
    log = retention(store, home, "--dry-run")
    assert "\x1b" not in log and "\nmlflow: retention: y" not in log and "mlflow: retention: y" in log


def test_time_is_up(store: Store, home: Path) -> None:
    store.runs(3, ended=91, artifacts=False)
    assert "time is up; the next run continues." in retention(store, home, "--seconds=60")
    assert set(store.left().values()) == {"active"}


def test_a_clock_that_is_ahead(store: Store, home: Path, tmp_path: Path) -> None:
    """Where a node's clock has jumped ten years ahead, nothing is old before its time."""
    ahead = "import time\nnow = time.time\ntime.time = lambda: now() + 10 * 365 * 86_400\n"
    (tmp_path / "sitecustomize.py").write_text(ahead)
    kept = [*store.runs(2, ended=1, artifacts=False), *store.runs(2, ended=91, deleted=1, artifacts=False)]
    log = retention(store, home, "--traces-days=30", PYTHONPATH=str(tmp_path))
    assert "0 runs ended more than" in log
    assert store.left().keys() == {*kept}


def test_another_schema_is_left_alone(store: Store, home: Path) -> None:
    """MLflow's store would migrate it."""
    store.query("UPDATE alembic_version SET version_num = '0123456789ab'")
    log = retention(store, home, code=1)
    assert "the database is at revision 0123456789ab" in log
    assert store.query("SELECT version_num FROM alembic_version") == [("0123456789ab",)]


def test_one_at_a_time(store: Store, home: Path) -> None:
    store.runs(1, ended=91, artifacts=False)
    with holding(store, "retention"):
        assert "another run is in progress" in retention(store, home)
    assert set(store.left().values()) == {"active"}


def test_sqlite_has_no_retention(home: Path) -> None:
    env = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{home}/mlflow.db"}
    log = run_task("retention", home, env, *RETENTION, code=1)
    assert log == "mlflow: retention: the database is not PostgreSQL; set backendStore.postgres.\n"


def test_the_exporter_tells(store: Store, home: Path) -> None:
    """Nothing, a success, a failure, a Job that was killed."""
    env = {**store.env, "MLFLOW_KUBERNETES_TASKS": "retention=3600"}
    metrics = Metrics(home, ("stores",), env).start().ready()
    page = metrics.until(0, "mlflow_task_last_success_timestamp_seconds", task="retention")
    assert page.sum("mlflow_task_max_age_seconds", task="retention") == 3600
    assert "mlflow_task_failed" not in page.names()
    store.runs(2, ended=91, artifacts=False)
    retention(store, home)
    assert metrics.reported("mlflow_retention_deleted_runs") == 2
    page = metrics.page()
    assert page.sum("mlflow_task_failed", task="retention") == 0
    assert time.time() - page.sum("mlflow_task_last_success_timestamp_seconds", task="retention") < 300
    store.query("UPDATE mlflow_kubernetes.tasks SET failed = now()")
    metrics.until(1, "mlflow_task_failed", task="retention")
    retention(store, home)
    metrics.until(0, "mlflow_task_failed", task="retention")
    store.query("UPDATE mlflow_kubernetes.tasks SET started = now(), deadline = now()")
    metrics.until(1, "mlflow_task_failed", task="retention")
    assert metrics.stop() == 0
