"""Production's net on real parts: Traefik with TLS, a browser, a Gateway, Prometheus, behind a policy."""

import filecmp
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as kubernetes
from mlflow import MlflowClient

from e2e.exposure import (
    REACH,
    TRACK,
    example,
    large_file,
    opened,
    people_see_the_run,
    post,
    reached,
)
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.platform import Platform
from e2e.stores import Database, shared_stores

HOST, ROUTE, FOREIGN = "exposure.example.com", "exposure-route.example.com", "foreign.example.com"
URL = f"https://{HOST}"
DATA, OTHER = "exposure-data", "exposure-other"
SERVER = "mlflow.exposure.svc.cluster.local"
STORES = ["postgres.ml.svc.cluster.local:5432", "seaweedfs.ml.svc.cluster.local:8333"]
# In the database's namespace but not the database; elsewhere.
FORBIDDEN = ["mlflow.ml.svc.cluster.local:80", "prometheus.monitoring.svc.cluster.local:9090"]
# A rule as people write it: one namespace, one port.
FROM_DATA = {
    "from": [{"namespaceSelector": {"matchLabels": {"name": "data"}}}],
    "ports": [{"protocol": "TCP", "port": 5000}],
}


@pytest.fixture(scope="module", autouse=True)
def exposed(kube: Kube, helm: Helm, platform: Platform, shared_namespace: str) -> Any:
    """One release with all of it, a namespace that may come in and one that may not."""
    kube.create_namespace(DATA)
    kube.core.patch_namespace(DATA, {"metadata": {"labels": {"name": "data"}}})
    kube.create_namespace(OTHER)
    platform.apply(shared_namespace, "gateway", host=ROUTE)
    stores = shared_stores(kube, shared_namespace, Database.create(kube, shared_namespace))
    route = {
        "enabled": True,
        "hostnames": [ROUTE],
        "parentRefs": [{"name": "web"}],
        "redirectParentRefs": [{"name": "traefik", "namespace": "traefik"}],
    }
    values = {
        **stores,
        **example("traefik", HOST),
        "httpRoute": route,
        "networkPolicy": {"enabled": True, "ingress": [FROM_DATA]},
        "serviceMonitor": {"enabled": True, "interval": "5s", "scrapeTimeout": "5s"},
        "metrics": {"storeIntervalSeconds": 5},
    }
    helm.install(shared_namespace, values, wait="180s")
    platform.served(f"{URL}/health")
    yield
    remove(kube, DATA)
    remove(kube, OTHER)


@pytest.fixture
def sdk(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """MLflow's client outside of the cluster; use it within `platform.hosts`."""
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", platform.ca)
    return MlflowClient(URL)


def test_programs_by_service_name_and_people_by_browser(
    kube: Kube, platform: Platform, sdk: MlflowClient
) -> None:
    """With an Ingress in-cluster names still work, and the UI's own POST requests do."""
    kube.run(DATA, "tracks", ["python", "-c", TRACK], {"MLFLOW_TRACKING_URI": f"http://{SERVER}"})
    people_see_the_run(platform, sdk, URL)


def test_only_own_pages_may_change_anything(platform: Platform) -> None:
    assert post(platform, URL, URL) == 200
    assert post(platform, URL, f"http://{HOST}") == 403
    assert post(platform, URL, f"https://{FOREIGN}") == 403


def test_foreign_names_are_refused(kube: Kube, platform: Platform, shared_namespace: str) -> None:
    """An Ingress for another name has the same Service: MLflow does not accept that name."""
    networking = kubernetes.NetworkingV1Api(kube.api)
    spec = networking.read_namespaced_ingress("mlflow", shared_namespace).spec
    spec.rules[0].host, spec.tls = FOREIGN, None
    body = {"metadata": {"name": "foreign"}, "spec": spec}
    networking.create_namespaced_ingress(shared_namespace, body)
    platform.served(f"http://{FOREIGN}/health")  # which has no protection and needs none
    refused = platform.request("GET", f"http://{FOREIGN}/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert (refused.status_code, "Invalid Host header" in refused.text) == (403, True)


def test_a_gateway_leads_in_too(platform: Platform) -> None:
    """With TLS by its listener, and http sent on to it by another Gateway's."""
    platform.served(f"https://{ROUTE}/health")
    assert post(platform, f"https://{ROUTE}", f"https://{ROUTE}") == 200
    assert post(platform, f"https://{ROUTE}", f"https://{FOREIGN}") == 403

    def redirected() -> bool:
        answer = platform.request("GET", f"http://{ROUTE}/health")
        place = answer.headers.get("location", "").replace(":443", "")
        return (answer.status_code, place) == (301, f"https://{ROUTE}/health")

    eventually(redirected, 30, "http sent on to https")


def test_metrics_are_read(platform: Platform, shared_namespace: str) -> None:
    """By Prometheus from the pods, servers and exporter, and by any client at the server's own address."""
    query = f'up{{namespace="{shared_namespace}", job="mlflow"}}'
    eventually(lambda: [each["value"][1] for each in platform.query(query)] == ["1"] * 2, 90, query)
    page = platform.request("GET", f"{URL}/metrics").text
    assert "mlflow_http_requests_total{" in page and "mlflow_runs_total" in page


def test_a_large_artifact_through_the_ingress(platform: Platform, sdk: MlflowClient, tmp_path: Path) -> None:
    file = large_file(tmp_path, 200)
    with platform.hosts(HOST):
        run_id = sdk.create_run("0").info.run_id
        sdk.log_artifact(run_id, str(file))
        (tmp_path / "back").mkdir()
        back = sdk.download_artifacts(run_id, file.name, str(tmp_path / "back"))
    assert filecmp.cmp(file, back, shallow=False)


def test_the_releases_own_test_passes_the_policy(helm: Helm, shared_namespace: str) -> None:
    """Its pod reaches the server and finds it under an allowed name."""
    helm("test", "mlflow", "--namespace", shared_namespace, "--timeout", "180s")


def test_who_may_come_in(kube: Kube, shared_namespace: str) -> None:
    """The namespace of the rule, on its port; no other, and not pods of the release's own namespace."""
    ways = [f"{SERVER}:80", f"{SERVER}:5000", f"mlflow-metrics.{shared_namespace}.svc:9464"]
    neighbour = {"app": "mlflow", "app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": "other"}
    reached(kube, DATA, "friend", ways, {"app": "client"}, ways[:2])
    reached(kube, OTHER, "stranger", ways, {"app": "client"}, [])
    reached(kube, shared_namespace, "neighbour", ways, neighbour, [])


def test_where_the_pods_may_go(kube: Kube, shared_namespace: str) -> None:
    """Server, exporter and whatever job comes later: to the stores and the release. Neighbours are free."""
    release = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": "mlflow"}
    own = [f"{SERVER}:80", f"mlflow-exporter.{shared_namespace}.svc:9464"]
    everything = [*STORES, *own, *FORBIDDEN]
    for component, container in (("server", "mlflow"), ("exporter", "exporter")):
        selector = f"app.kubernetes.io/instance=mlflow,app.kubernetes.io/component={component}"
        (pod,) = kube.pods(shared_namespace, selector)
        command = ["python", "-c", REACH, *everything]
        log = kube.exec(shared_namespace, pod.metadata.name, command, container)
        assert opened(log) == [*STORES, *own], component
    reached(kube, shared_namespace, "job", everything, release, [*STORES, *own])
    reached(kube, shared_namespace, "free", FORBIDDEN, {"app": "client"}, FORBIDDEN)
