"""Workspaces: apart from each other, known to all tasks, and never hidden."""

import http.client
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
import pytest
import requests
from cli.laptop import mlflow_of_the_process
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException
from mlflowops.copier.copying import copy_all
from mlflowops.importer.snapshot import copy_sqlite
from mlflowops.importer.source import local_locations

from runtime import copies
from runtime.metrics import Metrics
from runtime.postgres import Postgres
from runtime.s3 import BUCKET, S3
from runtime.server import Server, environment
from runtime.tasks import RETENTION, Env, Store, run_task
from runtime.test_schema import schema

ENABLED = {"MLFLOW_ENABLE_WORKSPACES": "true"}
LAUNCHERS = ["direct", "upstream"]
Enter = Callable[[str, str], MlflowClient]
# An MLflow of a laptop with two workspaces, which each have a run, a file and a model of one name.
OLD = """
import mlflow, pathlib
from mlflow import MlflowClient
mlflow.create_workspace("research")
for workspace in ("default", "research"):
    mlflow.set_workspace(workspace)
    client = MlflowClient()
    run = client.create_run(client.create_experiment("of one name"))
    client.log_text(run.info.run_id, workspace, "note.txt")
    client.create_registered_model("model")
    client.create_model_version("model", f"runs:/{run.info.run_id}/m", run.info.run_id)
    loose = pathlib.Path("loose", workspace)
    loose.mkdir(parents=True)
    (loose / "MLmodel").write_text(workspace)
    client.create_registered_model("loose")
    client.create_model_version("loose", loose.resolve().as_uri())
"""
# Of a file of another workspace, as a client that does not tidy paths may send them.
PATHS = (
    "workspaces/%s", "./workspaces/%s", "%%2e/workspaces/%s", "workspaces/./%s", "/workspaces/%s",
    "//workspaces/%s", "workspaces//%s", "%%2Fworkspaces/%s", "1/../workspaces/%s", "workspaces%%2f%s",
    "./././workspaces/%s",
)  # fmt: skip
REFUSED = (308, 400, 404)  # Flask leads double slashes to single ones


def raw(method: str, url: str, path: str, workspace: str) -> tuple[int, str]:
    """Ask for an artifact by a path as it is, which `requests` would tidy; status and text."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)) as connection:
        headers = {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
        body = b"intruder" if method == "PUT" else None
        connection.request(method, f"/api/2.0/mlflow-artifacts/artifacts/{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def store(ready_database: Callable[[], Env], postgres: Postgres, s3: S3) -> Store:
    """The stores of a release with workspaces."""
    place = {"MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/{uuid.uuid4().hex[:8]}"}
    return Store(postgres, s3, {**ready_database(), **s3.environment("plain"), **ENABLED, **place})


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Enter]:
    """A client of a server, in a workspace."""

    with ExitStack() as addresses:

        def client(url: str, workspace: str) -> MlflowClient:
            monkeypatch.setenv("MLFLOW_WORKSPACE", workspace)
            addresses.enter_context(mlflow_of_the_process(url))
            return MlflowClient(url, registry_uri=url)

        yield client


def files(store: Store) -> set[str]:
    """The artifacts of all workspaces."""
    return store.objects(store.key("mlflow-artifacts:/workspaces"))


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_teams_are_apart(
    start: Callable[..., Server],
    store: Store,
    home: Path,
    enter: Enter,
    launcher: str,
) -> None:
    """Runs, models and files of one name; and retention removes those of each."""
    url = start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **store.env).ready().url
    enter(url, "default")
    mlflow.create_workspace("research")
    runs = {}
    for workspace in ("default", "research"):
        client = enter(url, workspace)
        run = client.create_run(client.create_experiment("of one name"))
        client.log_text(run.info.run_id, workspace, "note.txt")
        client.create_registered_model("model")
        assert len(client.search_experiments(filter_string="name = 'of one name'")) == 1
        runs[workspace] = run.info
    (file,) = [each for each in files(store) if "/workspaces/research/" in each]
    assert f"/workspaces/research/{runs['research'].experiment_id}/" in file
    client = enter(url, "default")
    for ask in (client.get_run, client.list_artifacts):
        with pytest.raises(MlflowException, match="not found"):
            ask(runs["research"].run_id)
    place = file.partition("/workspaces/")[2]
    assert raw("GET", url, f"workspaces/{place}", "research") == (200, "research")
    assert raw("GET", url, place.removeprefix("research/"), "research") == (200, "research")
    for way in PATHS:
        for method in ("GET", "PUT", "DELETE"):
            for workspace in ("", "default"):
                status, text = raw(method, url, way % place, workspace)
                assert status in REFUSED, (method, way, workspace, status, text)
    assert raw("GET", url, f"workspaces/{place}", "research") == (200, "research")
    listed = f"{url}/api/2.0/mlflow-artifacts/artifacts"
    for path in ("workspaces", "./workspaces", "workspaces/research", "workspaces/./research"):
        assert requests.get(listed, {"path": path}, timeout=60).status_code == 400, path
    store.query("UPDATE runs SET status = 'FINISHED', end_time = 1")
    run_task("retention", home, store.env, *RETENTION)
    store.query("UPDATE runs SET deleted_time = 1")
    run_task("retention", home, store.env, *RETENTION)
    assert (store.left(), files(store)) == ({}, set())


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_file_system_is_no_way_around(
    start: Callable[..., Server], ready_database: Callable[[], Env], home: Path, enter: Enter, launcher: str
) -> None:
    """It reads `./workspaces` as `workspaces`, unlike an object store."""
    place = {"MLFLOW_ARTIFACTS_DESTINATION": str(home / "artifacts"), "MLFLOW_KUBERNETES_LAUNCHER": launcher}
    url = start(**ready_database(), **ENABLED, **place).ready().url
    enter(url, "default")
    mlflow.create_workspace("research")
    client = enter(url, "research")
    run = client.create_run(client.create_experiment("x")).info
    client.log_text(run.run_id, "research", "note.txt")
    file = f"research/{run.experiment_id}/{run.run_id}/artifacts/note.txt"
    assert raw("GET", url, f"workspaces/{file}", "research") == (200, "research")
    for way in PATHS:
        for method in ("GET", "PUT", "DELETE"):
            assert raw(method, url, way % file, "default")[0] in REFUSED, (method, way)
    assert raw("DELETE", url, "workspaces", "default")[0] == 400
    assert raw("GET", url, f"workspaces/{file}", "research") == (200, "research")


def test_a_workspace_has_a_place_of_its_own(start: Callable[..., Server], store: Store, enter: Enter) -> None:
    url, place = start(**store.env).ready().url, f"s3://{BUCKET}/research-{uuid.uuid4().hex[:8]}"
    enter(url, "default")
    mlflow.create_workspace("research")
    mlflow.update_workspace("research", default_artifact_root=place)
    client = enter(url, "research")
    number = client.create_experiment("x")
    assert client.get_experiment(number).artifact_location.startswith(place)


def test_no_workspace_is_hidden(start: Callable[..., Server], store: Store, home: Path, enter: Enter) -> None:
    """Once another one has a model, new pods without workspaces stop before they serve."""
    url = start(**store.env).ready().url
    enter(url, "default")
    mlflow.create_workspace("research")
    without = store.env | {"MLFLOW_ENABLE_WORKSPACES": "false"}
    assert schema(home, **without).returncode == 0
    enter(url, "research").create_registered_model("x")
    refused = schema(home, **without)
    assert refused.returncode == 1
    words = "the database has experiments, models or webhooks in the workspace research"
    assert f"mlflow.workspaces.enabled: {words}" in refused.stdout and "old pods" in refused.stdout
    assert schema(home, **store.env).returncode == 0


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite file of an MLflow with two workspaces."""
    folder = tmp_path_factory.mktemp("old")
    env = environment(folder, MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db", **ENABLED)
    subprocess.run([sys.executable, "-c", OLD], check=True, env=env, cwd=folder)
    return folder / "mlflow.db"


def test_a_copy_keeps_them(
    old: Path, store: Store, tmp_path: Path, start: Callable[..., Server], enter: Enter
) -> None:
    copy_sqlite(old, tmp_path / "snapshot")
    source = [("database", tmp_path / "snapshot")]
    with (
        copies.copying(tmp_path / "without", store.env | {"MLFLOW_ENABLE_WORKSPACES": "false"}) as orders,
        pytest.raises(Exception, match="in the workspace research, which the release would hide"),
    ):
        copy_all(orders, source, local_locations(old, "sqlite", []))
    with copies.copying(tmp_path / "copy", store.env) as orders:
        report = copy_all(orders, source, local_locations(old, "sqlite", []))
    assert (report["refused"], report["different"]) == ([], [])
    url = start(**store.env).ready().url
    for workspace in ("default", "research"):
        client = enter(url, workspace)
        experiment = client.get_experiment_by_name("of one name")
        (run,) = client.search_runs([experiment.experiment_id])
        place = str(tmp_path / workspace)
        note = download_artifacts(run_id=run.info.run_id, artifact_path="note.txt", dst_path=place)
        assert Path(note).read_text() == workspace
        assert client.get_model_version("model", "1").run_id == run.info.run_id
        loose = download_artifacts("models:/loose/1", dst_path=str(tmp_path / f"{workspace}-model"))
        assert Path(loose, "MLmodel").read_text() == workspace


def test_metrics_count_each(start: Callable[..., Server], store: Store, tmp_path: Path, enter: Enter) -> None:
    url = start(**store.env).ready().url
    enter(url, "default")
    mlflow.create_workspace("research")
    client = enter(url, "research")
    experiment = client.create_experiment("x")
    for _ in range(3):
        client.create_run(experiment)
    client.delete_run(client.create_run(experiment).info.run_id)
    metrics = Metrics(tmp_path, ("stores",), store.env).start().ready()
    page = metrics.until(1, "mlflow_workspaces_up")
    runs = {
        stage: page.sum("mlflow_workspace_runs_total", workspace="research", lifecycle_stage=stage)
        for stage in ("active", "deleted")
    }
    assert runs == {"active": 3, "deleted": 1}
    assert page.sum("mlflow_workspace_experiments_total", workspace="research") == 1
    assert page.sum("mlflow_workspace_experiments_total", workspace="default") == 1
    assert metrics.stop() == 0
