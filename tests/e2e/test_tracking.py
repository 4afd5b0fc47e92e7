"""A data scientist's first run: examples/track.py, from another namespace and from the host."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflowops.paths import REPO

from e2e.forward import port_forward
from e2e.kube import Kube
from e2e.stores import s3_client

IRIS = (REPO / "examples/track.py").read_text()


@pytest.fixture(scope="module")
def url(kubeconfig: Path) -> Iterator[str]:
    """`kubectl port-forward service/mlflow`, with a free local port."""
    with port_forward(kubeconfig, "ml", "service/mlflow", 5000) as address:
        yield address


def test_iris_from_another_namespace(kube: Kube, namespace: str, url: str) -> None:
    log = kube.run(namespace, "iris", ["python", "-c", IRIS])
    _reads_back(kube, url, _run_id(log))


def test_iris_through_port_forward(kube: Kube, url: str) -> None:
    done = subprocess.run(
        [REPO / ".venv/bin/python", REPO / "examples/track.py"],
        env={**os.environ, "MLFLOW_TRACKING_URI": url},
        text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _reads_back(kube, url, _run_id(done.stdout))


def test_a_laptop_loads_the_model(url: str) -> None:
    """Without a variable: the server offers no address of the object store, which only pods can open."""
    load = "import mlflow; print(mlflow.sklearn.load_model('models:/iris-classifier@champion'))"
    done = subprocess.run(
        [REPO / ".venv/bin/python", "-c", load],
        env={**os.environ, "MLFLOW_TRACKING_URI": url},
        text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "RandomForestClassifier" in done.stdout


def _run_id(output: str) -> str:
    found = re.search(r"\b[0-9a-f]{32}\b", output)
    assert found, output
    return found.group()


def _reads_back(kube: Kube, url: str, run_id: str) -> None:
    """Parameters, metrics, the model's bytes in S3 and the registered version are what was logged."""
    client = MlflowClient(url)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {**run.data.params, "n_estimators": "100", "max_depth": "10"}
    assert run.data.metrics["train_accuracy"] == 1.0
    assert run.data.metrics["test_accuracy"] > 0.9
    versions = client.search_model_versions(f"run_id='{run_id}'")
    assert [version.name for version in versions] == ["iris-classifier"]
    source = versions[0].source
    location = f"{run.info.artifact_uri}/model"
    if source.startswith("models:/"):
        location = client.get_logged_model(source.removeprefix("models:/")).artifact_location
    assert _object_in_s3(kube, location, "MLmodel").startswith(b"artifact_path"), location


def _object_in_s3(kube: Kube, location: str, name: str) -> bytes:
    """The object as the store itself has it, not as MLflow names it: mlflow-artifacts:/x is s3://mlflow/artifacts/x."""
    key = "artifacts/" + location.split(":/", 1)[1].lstrip("/") + "/" + name
    return s3_client(kube).get_object(Bucket="mlflow", Key=key)["Body"].read()


def test_sdk_by_every_name_of_the_service(kube: Kube, namespace: str) -> None:
    """No form of the Service's name meets MLflow's 403 of host validation; a foreign name does."""
    service = kube.core.read_namespaced_service("mlflow", "ml").spec.cluster_ip
    ask = (
        "import sys, requests\n"
        "for url, host in zip(sys.argv[1::2], sys.argv[2::2]):\n"
        "    answer = requests.get(url + '/api/2.0/mlflow/experiments/get?experiment_id=0',\n"
        "                          headers={'Host': host}, timeout=20)\n"
        "    print(host, answer.status_code)\n"
    )
    names = ["mlflow.ml", "mlflow.ml.svc", "mlflow.ml.svc.cluster.local"]
    hosts = [host for name in names for host in (name, f"{name}:80", f"{name}:5000")]
    words = [word for host in hosts for word in (f"http://{host}", host)]
    words += [f"http://{service}", "evil.example.com"]
    log = kube.run(namespace, "names", ["python", "-c", ask, *words])
    assert log.split() == [word for host in hosts for word in (host, "200")] + ["evil.example.com", "403"]


def test_mlflow_version_is_the_pinned_one(url: str) -> None:
    import requests

    assert requests.get(f"{url}/version", timeout=10).text == mlflow.__version__
