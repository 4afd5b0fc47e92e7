"""What Prometheus sees of a release: its requests, its stores, its rules, every graph of the dashboard."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from mlflowops.paths import REPO
from runtime.traces import trace

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.platform import Platform
from e2e.stores import Database, shared_stores

DASHBOARD = REPO / "charts/mlflow/monitoring/dashboard.json"
# Shorter than a user's, so that the test need not wait.
QUICK = {
    "metrics": {"storeIntervalSeconds": 5},
    "serviceMonitor": {"enabled": True, "interval": "5s", "scrapeTimeout": "4s"},
}
MISSING = 37
# `mlflow` has what production has; `small` keeps all on a volume, whose graph would be empty otherwise.
RELEASES = {"mlflow": "service/mlflow", "small": "service/small-mlflow"}


@pytest.fixture(scope="module")
def monitored(kube: Kube, helm: Helm, platform: Platform, shared_namespace: str) -> str:
    """The namespace of both releases."""
    stores = shared_stores(kube, shared_namespace, Database.create(kube, shared_namespace))
    rules = {"prometheusRule": {"enabled": True, "thresholds": {"databaseLatencySeconds": 0.00001}}}
    full = {**stores, **QUICK, **rules, "dashboard": {"enabled": True}, "replicaCount": 2}
    helm.install(shared_namespace, full, wait="")
    helm.install(shared_namespace, QUICK, release="small")
    kube.wait_ready(shared_namespace, 2, selector="app=mlflow,app.kubernetes.io/instance=mlflow")
    return shared_namespace


@pytest.fixture(scope="module")
def url(monitored: str, kubeconfig: Path) -> Iterator[str]:
    with port_forward(kubeconfig, monitored, RELEASES["mlflow"], 5000) as address:
        yield address


def missing(platform: Platform, namespace: str) -> float:
    """How many requests for what is not there Prometheus has counted, over all workers and pods."""
    labels = f'namespace="{namespace}", job="mlflow", status="404"'
    found = platform.query(f"sum(mlflow_http_requests_total{{{labels}}})")
    return float(found[0]["value"][1]) if found else 0


def test_every_target_is_up(platform: Platform, monitored: str) -> None:
    """Two servers and the exporter of `mlflow`, the one pod of `small`."""
    query = f'up{{namespace="{monitored}"}}'
    eventually(lambda: [each["value"][1] for each in platform.query(query)] == ["1"] * 4, 90, query)


def test_requests_are_counted_exactly(kube: Kube, platform: Platform, monitored: str) -> None:
    """Through the Service, on a new connection each, so over all pods and workers."""
    address = f"http://mlflow.{monitored}.svc.cluster.local"
    path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=nobody"
    ask = f"assert requests.get('{address}{path}').status_code == 404"
    script = f"import requests\nfor _ in range({MISSING}): {ask}"
    before = missing(platform, monitored)
    kube.run(monitored, "asks", ["python", "-c", script])
    eventually(lambda: missing(platform, monitored) == before + MISSING, 60, f"{MISSING} more requests")


def test_the_page_of_the_service_has_the_promised_names(url: str) -> None:
    """`curl http://.../metrics` shows requests and stores on one page."""
    page = requests.get(f"{url}/metrics", timeout=30).text
    promised = [
        "http_requests_total",
        "http_request_duration_seconds_bucket",
        "runs_total",
        "experiments_total",
    ]
    for name in promised:
        assert f"\nmlflow_{name}{{" in page, f"mlflow_{name} is not in\n{page}"


def test_the_stores_are_counted(platform: Platform, monitored: str, url: str) -> None:
    client = MlflowClient(url)
    experiment = client.create_experiment("counted")
    for _ in range(5):
        client.set_terminated(client.create_run(experiment).info.run_id)
    client.create_registered_model("counted")
    labels = f'namespace="{monitored}", job="mlflow"'
    for name, wanted in {
        f'mlflow_runs_total{{{labels}, lifecycle_stage="active", status="FINISHED"}}': 5,
        f'mlflow_experiments_total{{{labels}, lifecycle_stage="active"}}': 2,
        f"mlflow_registered_models_total{{{labels}}}": 1,
    }.items():
        eventually(lambda n=name, w=wanted: _sum(platform, n) == w, 60, f"{name} = {wanted}")


def _sum(platform: Platform, series: str) -> float:
    found = platform.query(f"sum({series})")
    return float(found[0]["value"][1]) if found else 0


def test_prometheus_takes_every_rule(platform: Platform, kube: Kube, monitored: str) -> None:
    """All of them are evaluated without an error, and one whose limit is absurd is on its way to fire."""
    groups = eventually(lambda: _groups(platform, monitored), 90, "the rules are evaluated")
    alerts = {path.stem for path in (REPO / "charts/mlflow/monitoring/alerts").glob("*.yaml")}
    assert {rule["name"] for rule in groups} == alerts - {"MLflowVolumeFull"}
    assert [rule["lastError"] for rule in groups if rule.get("lastError")] == []

    def active() -> set[str]:
        return {rule["name"] for rule in _groups(platform, monitored) if rule["state"] != "inactive"}

    # On a busy machine others may be on their way for the time of a scrape.
    eventually(lambda: active() == {"MLflowDatabaseSlow"}, 60, "only the database is called slow")


def _groups(platform: Platform, namespace: str) -> list[dict[str, Any]]:
    groups = platform.prometheus("rules")["groups"]
    rules = [rule for group in groups if f"/{namespace}-mlflow-" in group["file"] for rule in group["rules"]]
    return rules if all(rule["health"] == "ok" for rule in rules) else []


def expressions(panels: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Title and query of every graph."""
    for panel in panels:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
        yield from expressions(panel.get("panels", []))


def filled(expression: str, namespace: str, job: str) -> str:
    """The query that Grafana makes of it."""
    words = {"$__rate_interval": "1m", "$namespace": namespace, "$job": job}
    for word, value in words.items():
        expression = expression.replace(word, value)
    return expression


def use_everything(url: str) -> None:
    """A request of each kind that the dashboard knows, from several clients at once."""
    trace(url)
    client = MlflowClient(url)
    run = client.create_run("0").info.run_id
    client.log_text(run, "text", "note.txt")
    client.delete_run(run)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.search_experiments(), range(40)))


def test_every_graph_of_the_dashboard_has_data(
    kube: Kube, platform: Platform, monitored: str, kubeconfig: Path
) -> None:
    (text,) = kube.core.read_namespaced_config_map("mlflow-dashboard", monitored).data.values()
    shown = json.loads(text)
    assert shown == json.loads(DASHBOARD.read_text())
    queries = list(expressions(shown["panels"]))
    assert len(queries) > 20
    # These releases have no login; tests/runtime/test_metrics.py has one.
    left = {query: None for query in queries if query[0] != "Failed logins"}

    def ask() -> bool:
        for release, service in RELEASES.items():
            with port_forward(kubeconfig, monitored, service, 5000) as address:
                use_everything(address)
            for query in list(left):
                if platform.query(filled(query[1], monitored, release)):
                    del left[query]
        return not left

    eventually(ask, 150, f"data of {left}", every=5)
