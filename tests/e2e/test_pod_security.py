"""The API server's own word on each pod of each case: admitted under the restricted Pod Security Standard."""

from pathlib import Path

import pytest
import yaml
from kubernetes.client.rest import ApiException

from e2e.helm import CHART, Helm
from e2e.kube import Kube

CASES = sorted(CHART.glob("ci/*-values.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix("-values.yaml"))
def test_every_pod_is_admitted(kube: Kube, helm: Helm, shared_namespace: str, case: Path) -> None:
    rendered = helm("template", "mlflow", str(CHART), "--values", str(case)).stdout
    pods = [pod for each in yaml.safe_load_all(rendered) if each for pod in _pods(each)]
    assert pods
    for number, pod in enumerate(pods):
        # What a case refers to is not there on a dry run, and none of it has a say in pod security.
        spec = {**pod, "serviceAccountName": "default"}
        for key in ("priorityClassName", "runtimeClassName"):
            spec.pop(key, None)
        body = {"metadata": {"name": f"probe-{number}"}, "spec": spec}
        kube.core.create_namespaced_pod(shared_namespace, body, dry_run="All")


def test_the_namespace_really_refuses(kube: Kube, shared_namespace: str) -> None:
    """The check above can fail: a pod without a security context is refused."""
    body = {"metadata": {"name": "loose"}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    with pytest.raises(ApiException) as refused:
        kube.core.create_namespaced_pod(shared_namespace, body, dry_run="All")
    assert "violates PodSecurity" in refused.value.body


def _pods(thing: dict) -> list[dict]:
    """The pod specs of a rendered object."""
    spec = thing.get("spec", {})
    if thing["kind"] == "Pod":
        return [spec]
    if thing["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return [spec["template"]["spec"]] if "template" in spec and "spec" in spec["template"] else []
