"""A registered model answers over HTTP: `mlflow models serve`, and what KServe would be given."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
import yaml
from mlflow import MlflowClient
from mlflowops.paths import REPO
from runtime.network import free_port

from cli import kserve_api

EXAMPLES = REPO / "examples"
PAGE = (REPO / "docs/serving.md").read_text()
FLOWERS = {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}


@pytest.fixture(scope="module")
def champion(tracking_server: str) -> str:
    """Train iris-classifier by its example; return the address of the server that holds it."""
    env = {**os.environ, "MLFLOW_TRACKING_URI": tracking_server, "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([sys.executable, EXAMPLES / "track.py"], env=env, check=True, capture_output=True)
    return tracking_server


@contextmanager
def serving(model: str, tracking: str, log: Path) -> Iterator[str]:
    """Run the `mlflow models serve` of docs/serving.md; yield its address."""
    port = str(free_port())
    (typed,) = re.findall(r"^(mlflow models serve .*)$", PAGE, re.MULTILINE)
    line = typed.replace("models:/iris-classifier@champion", model).replace("5001", port)
    words = [sys.executable, "-m", *line.split(), "-h", "127.0.0.1", "-w", "1"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it starts uvicorn by name
    env = {**os.environ, "PATH": path, "MLFLOW_TRACKING_URI": tracking, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with log.open("w") as sink:
        server = subprocess.Popen(
            words,
            env=env,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        wait(f"http://127.0.0.1:{port}/ping", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):  # mlflow starts a shell that starts the server: end all of them
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def wait(address: str, server: "subprocess.Popen[bytes]", log: Path, seconds: float = 240) -> None:
    """Wait until the model is loaded."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.3)
    pytest.fail(f"the model server did not start:\n{log.read_text()[-3000:]}")


def test_the_champion_answers_over_http(champion: str, tmp_path: Path) -> None:
    with serving("models:/iris-classifier@champion", champion, tmp_path / "log") as address:
        answer = requests.post(f"{address}/invocations", json=FLOWERS, timeout=60)
        assert answer.json() == {"predictions": [0, 2]}
        (typed,) = re.findall(r"curl -H '(.*): (.*)' -d '(.*)' \S+$", PAGE, re.MULTILINE)
        answer = requests.post(
            f"{address}/invocations", headers={typed[0]: typed[1]}, data=typed[2], timeout=60
        )
        assert answer.json() == {"predictions": [0]}, "the request that docs/serving.md shows"
        wrong = requests.post(f"{address}/invocations", json={"inputs": [["a"]]}, timeout=60)
        assert wrong.status_code == 400


def test_the_address_that_kserve_gets_is_the_folder_of_the_model(champion: str) -> None:
    env = {**os.environ, "MLFLOW_TRACKING_URI": champion, "MLFLOW_DISABLE_TELEMETRY": "true"}
    words = [sys.executable, str(EXAMPLES / "kserve/storage_uri.py"), "models:/iris-classifier@champion"]
    done = subprocess.run([*words, "s3://mlflow/artifacts"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    client = MlflowClient(champion, registry_uri=champion)
    version = client.get_model_version_by_alias("iris-classifier", "champion")
    model = client.get_logged_model(str(version.source).removeprefix("models:/"))
    path = model.artifact_location.removeprefix("mlflow-artifacts:/")
    assert done.stdout.strip() == f"s3://mlflow/artifacts/{path}"
    files = {each.path for each in client.list_logged_model_artifacts(model.model_id)}
    assert {"MLmodel", "model.skops"} <= files


def test_the_inference_service_is_one_to_kserve() -> None:
    service = yaml.safe_load((EXAMPLES / "kserve" / "inferenceservice.yaml").read_text())
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert not list(kserve_api.problems("V1beta1InferenceService", service))
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "mlflow"}
    assert model["protocolVersion"] == "v2"  # the MLServer runtime of the mlflow format speaks only this
    assert model["storageUri"].startswith("s3://mlflow/artifacts/")


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (
            "modelFromat",
            {"name": "mlflow"},
            ".modelFromat: V1beta1ModelSpec has no such field",
        ),
        ("storageUri", 5, ".storageUri: 5 is not str"),
        (
            "resources",
            {"limit": {}},
            ".resources.limit: V1ResourceRequirements has no such field",
        ),
        ("env", [{"nmae": "A"}], ".env[0].nmae: V1EnvVar has no such field"),
    ],
)
def test_what_kserve_does_not_know_is_found(path: str, value: object, problem: str) -> None:
    service = yaml.safe_load((EXAMPLES / "kserve" / "inferenceservice.yaml").read_text())
    service["spec"]["predictor"]["model"][path] = value
    assert list(kserve_api.problems("V1beta1InferenceService", service)) == [
        f".spec.predictor.model{problem}"
    ]
