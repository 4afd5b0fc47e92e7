"""`mlflowops health` warns at the thresholds of the release's alerts, else at the chart's defaults."""

import pytest
import yaml
from mlflowops import kube
from mlflowops.health import metrics, thresholds
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader
from mlflowops.paths import REPO

from cli.kubernetes_api import FakeApi

CHART = REPO / "charts/mlflow"
RULE = "/apis/monitoring.coreos.com/v1/namespaces/ml/prometheusrules/mlflow"
DEPLOYMENT = {"metadata": {"name": "mlflow", "namespace": "ml"}, "spec": {"replicas": 1}}


def rule(**values: float) -> Json:
    """A PrometheusRule as the chart renders it, with these thresholds."""
    rules = []
    for key, value in values.items():
        alert = yaml.safe_load((CHART / f"monitoring/alerts/{thresholds.ALERTS[key]}.yaml").read_text())
        assert alert["expr"].endswith(f"> <{key}>")
        rules.append(alert | {"expr": alert["expr"].replace(f"<{key}>", str(value))})
    return {"spec": {"groups": [{"name": "mlflow", "rules": [{"record": "a:b", "expr": "1 > 0"}, *rules]}]}}


def test_the_defaults_are_the_charts() -> None:
    chart = yaml.safe_load((CHART / "values.yaml").read_text())["prometheusRule"]["thresholds"]
    assert thresholds.defaults() == {key: chart[key] for key in thresholds.ALERTS}


def test_every_threshold_of_a_rule_is_read() -> None:
    wanted = {
        "errorPercent": 2.5,
        "databaseLatencySeconds": 1e-05,
        "replicaLagSeconds": 120,
        "usagePercent": 70,
        "volumePercent": 99,
    }
    assert thresholds.from_rule(rule(**wanted)) == wanted


def test_a_release_may_have_some_of_the_alerts(api: FakeApi) -> None:
    api.answers[RULE] = rule(usagePercent=50)
    found = thresholds.read_thresholds("mlflow", Reader(kube.connect(), "ml", 10))
    assert found == {**thresholds.defaults(), "usagePercent": 50}


@pytest.mark.parametrize("status", [404, 403])
def test_without_a_rule_the_defaults_hold(api: FakeApi, status: int) -> None:
    """Not installed, or not for this account."""
    api.answers[RULE] = status
    assert thresholds.read_thresholds("mlflow", Reader(kube.connect(), "ml", 10)) == thresholds.defaults()


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("errorPercent", 0.5, "logging"),
        ("databaseLatencySeconds", 0.001, "stores"),
        ("replicaLagSeconds", 1, "replica"),
        ("usagePercent", 1, "connections"),
    ],
)
def test_a_lower_threshold_warns_earlier(key: str, value: float, name: str) -> None:
    page = metrics.MetricsPage()
    page.add(
        "mlflow_database_up 1\nmlflow_database_latency_seconds 0.004\n"
        "mlflow_database_replica_up 1\nmlflow_database_replica_lag_seconds 2.5\n"
        'mlflow_database_connections_limit 970\nmlflow_database_connections{role="mlflow"} 10\n'
        'mlflow_http_request_total{method="POST",status="200"} 99\n'
        'mlflow_http_request_total{method="POST",status="500"} 1\n'
    )
    template = {"spec": {"containers": [{"name": "mlflow"}]}}
    release = Release({**DEPLOYMENT, "spec": {"replicas": 1, "template": template}}, [], [])
    before = {each.name: each.status for each in metrics.evaluate(page, release, thresholds.defaults())}
    after = {
        each.name: each.status
        for each in metrics.evaluate(page, release, {**thresholds.defaults(), key: value})
    }
    assert set(before.values()) == {"ok"}
    assert {each for each in after if after[each] != "ok"} == {name}
