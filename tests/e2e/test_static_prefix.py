"""A path below a host that others share, through class `nginx`: browser, SDK, probes, `helm test`, health."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from e2e.exposure import RUN, example, people_see_the_run, post
from e2e.helm import Helm
from e2e.kube import Kube
from e2e.platform import Platform
from e2e.up import run

HOST, PREFIX = "shared.example.com", "/tools/mlflow"
URL = f"https://{HOST}{PREFIX}"


@pytest.fixture(scope="module", autouse=True)
def prefixed(helm: Helm, platform: Platform, shared_namespace: str) -> None:
    """It becomes Ready, so the probes follow the prefix."""
    values = example("nginx", HOST)
    values["ingress"]["hosts"][0]["paths"] = [{"path": PREFIX}]
    helm.install(shared_namespace, {**values, "mlflow": {"staticPrefix": PREFIX}}, wait="180s")
    platform.served(f"{URL}/health")


def test_people_and_sdk_below_a_path(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", platform.ca)
    client = MlflowClient(URL)
    with platform.hosts(HOST):
        experiment = client.create_experiment(RUN)
        run_id = client.create_run(experiment, run_name=f"{RUN}-run").info.run_id
        client.log_text(run_id, "through the Ingress", "note.txt")
        assert Path(client.download_artifacts(run_id, "note.txt")).read_text() == "through the Ingress"
    people_see_the_run(platform, client, URL)
    assert post(platform, URL, f"https://{HOST}") == 200
    assert post(platform, URL, "https://foreign.example.com") == 403


def test_the_rest_of_the_host_is_somebody_elses(platform: Platform) -> None:
    assert platform.request("GET", f"https://{HOST}/").status_code == 404
    redirect = platform.request("GET", f"http://{HOST}{PREFIX}/health")
    assert redirect.headers["location"] == f"{URL}/health"


def test_helm_test_and_health_check_below_a_path(
    kube: Kube, helm: Helm, kubeconfig: Path, shared_namespace: str
) -> None:
    helm("test", "mlflow", "--namespace", shared_namespace, "--timeout", "180s")
    run(f"mlflowops health --namespace {shared_namespace}", kubeconfig)
    assert kube.restarts(shared_namespace) == 0
