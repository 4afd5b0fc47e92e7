"""The promise of the README: one command to a healthy server, and the second time it changes nothing."""

import json
from pathlib import Path

from e2e.helm import Helm
from e2e.kube import Kube
from e2e.up import Up, run


def test_up_ends_with_a_healthy_server(up: Up, kubeconfig: Path) -> None:
    assert up.code == 0, up.output
    assert "kubectl port-forward -n ml service/mlflow 5000:5000" in up.output
    report = json.loads(run("mlflowops health --output json", kubeconfig).stdout)
    assert report["checks"], "a health report without checks proves nothing"
    assert {check["status"] for check in report["checks"]} == {"ok"}, report


def test_second_up_changes_nothing(up: Up, kube: Kube, helm: Helm) -> None:
    before = _what_exists(kube, helm)
    second = Up.run()
    assert second.code == 0, second.output
    assert _what_exists(kube, helm) == before
    assert second.seconds < 60, f"took {second.seconds:.0f} s"


def _what_exists(kube: Kube, helm: Helm) -> dict[str, object]:
    """Everything in `ml` that an apply could touch: revisions, object generations, pods, secret contents."""
    releases = json.loads(helm("list", "--namespace", "ml", "--output", "json").stdout)
    deployments = kube.apps.list_namespaced_deployment("ml").items
    return {
        "revisions": {release["name"]: release["revision"] for release in releases},
        "generations": {each.metadata.name: each.metadata.generation for each in deployments},
        "pods": sorted(pod.metadata.uid for pod in kube.pods("ml", "")),
        "secret": kube.read_secret("ml", "mlflow-postgres-secret"),
    }
