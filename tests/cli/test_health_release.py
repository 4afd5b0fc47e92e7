"""`mlflowops health` of a release whose objects a small API serves; tests/e2e checks a real one."""

from cli.cli import Cli
from cli.kubernetes_api import FakeApi

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


def test_a_release_that_does_not_exist(api: FakeApi, cli: Cli) -> None:
    answer = cli("health", "--namespace", "ml")
    assert answer.code == 2
    assert "mlflowops: deployment/mlflow: not in namespace 'ml'; deploy it" in answer.err
