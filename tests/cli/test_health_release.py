"""`mlflowops health` of a release whose objects a small API serves; tests/e2e checks a real one."""

import time
from pathlib import Path

import pytest
from mlflowops.kube import Json

from cli.cli import Cli
from cli.kubernetes_api import FakeApi
from cli.web import serving

DEPLOYMENT = {
    "metadata": {"name": "mlflow", "namespace": "ml", "generation": 1},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "mlflow"}},
        "template": {
            "metadata": {"labels": {"app": "mlflow"}},
            "spec": {"containers": [{"name": "mlflow"}], "volumes": [{"persistentVolumeClaim": {}}]},
        },
    },
    "status": {},
}
CRON_JOB = {
    "metadata": {"name": "mlflow-backup", "namespace": "ml", "creationTimestamp": "2026-05-04T11:00:00Z"},
    "spec": {"schedule": "0 3 * * *", "suspend": True},
}


def test_the_checks_of_a_release_without_pods(api: FakeApi, cli: Cli) -> None:
    """What is not installed is left out, what the account may not read is unknown."""
    api.answers |= {
        "/apis/apps/v1/namespaces/ml/deployments/mlflow": DEPLOYMENT,
        "/api/v1/namespaces/ml/pods": {"items": []},
        "/apis/batch/v1/namespaces/ml/cronjobs/mlflow-backup": CRON_JOB,
        "/apis/policy/v1/namespaces/ml/poddisruptionbudgets": 403,
    }
    answer = cli("health", "--namespace", "ml", "--output", "json")
    assert answer.code == 1
    assert [(check["name"], check["status"]) for check in answer.data["checks"]] == [
        ("rollout", "red"),
        ("pods", "red"),
        ("endpoints", "red"),
        ("health", "red"),
        ("schema", "unknown"),
        ("volume", "unknown"),
        ("disruption", "unknown"),
        ("backup", "warn"),
    ]
    fixes = {check["name"]: check["fix"] for check in answer.data["checks"]}
    assert fixes["disruption"] == "give the account the rules of examples/health/reader.yaml"


def test_one_slow_answer_of_the_api_ends_no_other_check(api: FakeApi, cli: Cli) -> None:
    def late() -> Json:
        time.sleep(3)
        return {"items": []}

    api.answers |= {
        "/apis/apps/v1/namespaces/ml/deployments/mlflow": DEPLOYMENT,
        "/api/v1/namespaces/ml/pods": {"items": []},
        "/apis/batch/v1/namespaces/ml/cronjobs/mlflow-backup": CRON_JOB,
        "/apis/networking.k8s.io/v1/namespaces/ml/ingresses": late,
    }
    answer = cli("health", "--namespace", "ml", "--timeout", "1", "--output", "json")
    states = {check["name"]: check for check in answer.data["checks"]}
    assert (states["ingress"]["status"], states["backup"]["status"]) == ("unknown", "warn")
    assert "the Kubernetes API does not answer" in states["ingress"]["detail"]


def test_a_release_that_does_not_exist(api: FakeApi, cli: Cli) -> None:
    answer = cli("health", "--namespace", "ml")
    assert answer.code == 2
    assert "mlflowops: deployment/mlflow: not in namespace 'ml'; deploy it" in answer.err


IPV6_POD = {
    "metadata": {"name": "mlflow-1", "namespace": "ml", "labels": {"app": "mlflow"}},
    "spec": {"containers": [{"name": "mlflow", "ports": [{"name": "http", "containerPort": 5000}]}]},
    "status": {
        "podIP": "2001:db8::7",
        "podIPs": [{"ip": "2001:db8::7"}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "mlflow", "image": "a", "imageID": "b", "restartCount": 0, "ready": True, "state": {}}
        ],
    },
}
IPV6_SLICE = {
    "addressType": "IPv6",
    "endpoints": [{"addresses": ["2001:db8::7"], "conditions": {"ready": True}, "targetRef": {"uid": "a"}}],
}


def test_a_cluster_of_ipv6_only(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its API has an address in brackets, through which the pod is asked."""
    fake = FakeApi()
    fake.answers |= {
        "/apis/apps/v1/namespaces/ml/deployments/mlflow": DEPLOYMENT,
        "/api/v1/namespaces/ml/pods": {"items": [IPV6_POD]},
        "/apis/discovery.k8s.io/v1/namespaces/ml/endpointslices": {"items": [IPV6_SLICE]},
        "/apis/discovery.k8s.io/v1": {"resources": [{"name": "endpointslices"}]},
    }
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    with fake.current(tmp_path / "kubeconfig", ipv6=True):
        answer = cli("health", "--namespace", "ml", "--output", "json")
    found = {check["name"]: check for check in answer.data["checks"]}
    assert found["endpoints"]["detail"] == "service/mlflow has 1 ready"
    assert found["pods"]["status"] == "ok"
    assert "ports=5000" in fake.queries, "the request to the pod reached the API"


def test_an_address_in_brackets(cli: Cli) -> None:
    with serving(FakeApi()._handler(), ipv6=True) as url:
        answer = cli("health", "--url", url, "--output", "json")
    assert url.startswith("http://[::1]:")
    assert answer.data["checks"][0]["detail"] == f"{url}: /health answers 404"
