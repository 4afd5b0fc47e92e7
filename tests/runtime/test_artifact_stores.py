"""Artifacts in Azure and Google storage, through the server and past it, with MLflow's own clients."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from google.api_core import exceptions as google
from mlflow import MlflowClient

from runtime.azure import Azure
from runtime.gcs import Gcs
from runtime.metrics import Metrics
from runtime.s3 import S3
from runtime.server import FILES, Server

Env = dict[str, str]
PROXIED = "/api/2.0/mlflow-artifacts/artifacts"
WRONG_KEY = "d3JvbmcsIGJ1dCBiYXNlNjQgYW5kIGp1c3QgYXMgbG9uZyBhcyBpdA=="
# Clients go to the store by signed addresses where they can; these tests ask for what the server does.
THROUGH_THE_SERVER = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
}


class AzureAnswer:
    """What Azure's errors are made of."""

    def __init__(self, status: int) -> None:
        self.status_code, self.reason = status, "no"

    def text(self) -> str:
        return ""


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], ready_database: Callable[[], Env], store: Azure | Gcs) -> Server:
    """A server of the chart that keeps artifacts there."""
    return start(**ready_database(), **store.environment()).ready()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[[Env], None]:
    """Sets variables of a client: of this process."""

    def put(env: Env) -> None:
        for name in ("AZURE_STORAGE_CONNECTION_STRING", "STORAGE_EMULATOR_HOST", "MLFLOW_S3_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)

    return put


def round_trip(url: str, folder: Path) -> str:
    """Log a file and a folder, list them, read them back; the run's artifact URI."""
    client = MlflowClient(url)
    run = client.create_run(client.create_experiment(os.urandom(4).hex())).info
    big = os.urandom(9 * 1024 * 1024)
    (folder / "in").mkdir()
    (folder / "in" / "big.bin").write_bytes(big)
    (folder / "in" / "a b é.txt").write_text("odd name")
    client.log_artifacts(run.run_id, str(folder / "in"), "model")
    client.log_text(run.run_id, "top", "top.txt")
    listed = {each.path for path in ("", "model") for each in client.list_artifacts(run.run_id, path)}
    assert listed == {"model", "top.txt", "model/big.bin", "model/a b é.txt"}
    back = Path(client.download_artifacts(run.run_id, "model", str(folder)))
    assert (back / "big.bin").read_bytes() == big
    assert (back / "a b é.txt").read_text() == "odd name"
    return run.artifact_uri


def test_through_the_server(
    server: Server, store: Azure | Gcs, settings: Callable[[Env], None], home: Path
) -> None:
    """The client has no credentials and needs none; objects lie in the folder that the chart names."""
    settings(THROUGH_THE_SERVER)
    uri = round_trip(server.url, home)
    assert uri.startswith("mlflow-artifacts:/")
    inside = f"a/b/{uri.removeprefix('mlflow-artifacts:/')}"
    assert {f"{inside}/top.txt", f"{inside}/model/big.bin"} <= set(store.names())


def test_the_server_deletes(server: Server, store: Azure | Gcs) -> None:
    assert requests.put(f"{server.url}{PROXIED}/x/y.txt", data=b"1", timeout=30).ok
    assert "a/b/x/y.txt" in store.names()
    assert requests.delete(f"{server.url}{PROXIED}/x/y.txt", timeout=30).ok
    assert "a/b/x/y.txt" not in store.names()


def test_past_the_server(
    start: Callable[..., Server],
    ready_database: Callable[[], Env],
    store: Azure | Gcs,
    settings: Callable[[Env], None],
    home: Path,
) -> None:
    """artifactStore.mode direct: the client writes with its own credentials, the server serves nothing."""
    server = start(**ready_database(), **direct(store.environment())).ready()
    settings(store.environment())
    uri = round_trip(server.url, home)
    assert uri.startswith(store.environment()["MLFLOW_ARTIFACTS_DESTINATION"] + "/")
    assert f"a/b/{uri.split('/a/b/')[1]}/top.txt" in store.names()
    assert requests.put(f"{server.url}{PROXIED}/x.txt", data=b"1", timeout=30).status_code >= 400
    run = uri.split("/")[-2]
    shown = requests.get(
        f"{server.url}/get-artifact", params={"run_uuid": run, "path": "top.txt"}, timeout=30
    )
    assert shown.text == "top", "the UI still shows artifacts: the server reads the store for it"


@pytest.mark.parametrize("method", ["PUT", "GET", "LIST", "DELETE"])
def test_a_key_that_azure_refuses(forbidden: Server, method: str) -> None:
    """The answer is 403 with Azure's reason, as for S3: clients do not repeat it."""
    query = {"path": "x"} if method == "LIST" else None
    url = f"{forbidden.url}{PROXIED}{'' if query else '/x/y.txt'}"
    verb = "GET" if method == "LIST" else method
    answer = requests.request(verb, url, params=query, data=b"1" if verb == "PUT" else None, timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED"), answer.text
    assert "AuthorizationFailure" in answer.json()["message"]


@pytest.fixture(scope="module")
def forbidden(start: Callable[..., Server], ready_database: Callable[[], Env], azure: Azure) -> Server:
    """A server whose key of Azure is wrong."""
    return start(**ready_database(), **azure.environment(WRONG_KEY)).ready()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (google.ServiceUnavailable("busy"), 503),
        (google.InternalServerError("busy"), 503),
        (google.Forbidden("no"), 403),
        (google.NotFound("none"), None),
        (HttpResponseError(response=AzureAnswer(503)), 503),
        (HttpResponseError(response=AzureAnswer(403)), 403),
        (HttpResponseError(response=AzureAnswer(404)), None),
        (ServiceRequestError("no route"), 503),
    ],
)
def test_errors_of_the_clouds(monkeypatch: pytest.MonkeyPatch, error: Exception, status: int | None) -> None:
    """What passes is 503, what is forbidden 403, and all else is left to MLflow."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.server import unavailable

    told = unavailable._told(error)
    assert (told[1] if told else None) == status


def direct(env: Env) -> Env:
    """What the chart sets in mode direct instead of MLFLOW_ARTIFACTS_DESTINATION."""
    return {
        **env,
        "MLFLOW_ARTIFACTS_DESTINATION": "",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": env["MLFLOW_ARTIFACTS_DESTINATION"],
        "MLFLOW_SERVE_ARTIFACTS": "false",
    }


def test_s3_past_the_server(
    start: Callable[..., Server],
    ready_database: Callable[[], Env],
    s3: S3,
    settings: Callable[[Env], None],
    home: Path,
) -> None:
    server = start(**ready_database(), **direct(s3.environment("plain"))).ready()
    settings(s3.environment("plain"))
    assert round_trip(server.url, home).startswith("s3://mlflow/artifacts/")


@pytest.fixture
def exporter(home: Path, database: Callable[..., Env]) -> Iterator[Callable[[Env], Metrics]]:
    """Starts an exporter that looks at the stores of a server with this environment."""
    started: list[Metrics] = []

    def start(env: Env) -> Metrics:
        started.append(Metrics(home, ("stores",), {**database(), **env}).start().ready())
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.parametrize("mode", ["proxied", "direct"])
def test_the_exporter_sees_the_store(
    store: Azure | Gcs, exporter: Callable[[Env], Metrics], mode: str
) -> None:
    env = store.environment() if mode == "proxied" else direct(store.environment())
    exporter(env).until(1, "mlflow_artifact_store_up")


def test_the_exporter_sees_a_wrong_key(azure: Azure, exporter: Callable[[Env], Metrics]) -> None:
    metrics = exporter(azure.environment(WRONG_KEY))
    metrics.until(0, "mlflow_artifact_store_up")


def test_the_exporter_sees_a_missing_bucket(gcs: Gcs, exporter: Callable[[Env], Metrics]) -> None:
    metrics = exporter({**gcs.environment(), "MLFLOW_ARTIFACTS_DESTINATION": "gs://no-such-bucket/a"})
    metrics.until(0, "mlflow_artifact_store_up")
