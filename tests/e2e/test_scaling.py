"""Pods start and stop without a failed request: twelve clients without retries, and an upload of 50 MB."""

import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.utils import parse_quantity

from e2e.clients import Clients
from e2e.drain import cordoned, evicted
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.stores import Database, shared_stores
from e2e.up import run

POD = {"mlflow": {"resources": {"requests": {"cpu": "200m", "memory": "256Mi"}}}}
# Quick to go down again, for a test's sake.
AUTOSCALING = {
    "enabled": True,
    "maxReplicas": 3,
    "targetCPUUtilizationPercentage": 40,
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 20}},
}


@pytest.fixture(scope="module")
def values(kube: Kube, shared_namespace: str) -> dict[str, Any]:
    database = Database.create(kube, "scaling")
    return {**shared_stores(kube, shared_namespace, database), **POD, "replicaCount": 3}


@pytest.fixture(scope="module")
def clients(kube: Kube, helm: Helm, shared_namespace: str, values: dict[str, Any]) -> Clients:
    helm.install(shared_namespace, values)
    found = Clients(kube, shared_namespace)
    found.start()
    return found


def settle(kube: Kube, namespace: str, count: int) -> list[client.V1Pod]:
    """The server's pods, when all are Ready and none is leaving any more."""

    def settled() -> list[client.V1Pod]:
        pods = kube.pods(namespace)
        return pods if len(pods) == count and kube.ready(namespace, count) else []

    return eventually(settled, 240, f"{count} pods and no more")


def scale(kube: Kube, namespace: str, count: int) -> None:
    kube.apps.patch_namespaced_deployment_scale("mlflow", namespace, {"spec": {"replicas": count}})
    settle(kube, namespace, count)


def has_room(kube: Kube, node: str) -> bool:
    """Whether one more pod fits: other tests have pods on the nodes too, and the spread is soft."""
    chosen = f"spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed"
    pods = kube.core.list_pod_for_all_namespaces(field_selector=chosen).items
    requests = [each.resources.requests or {} for pod in pods for each in pod.spec.containers]
    asked = sum(parse_quantity(each.get("cpu", "0")) for each in requests)
    free = parse_quantity(kube.core.read_node(node).status.allocatable["cpu"]) - asked
    return bool(free >= parse_quantity(POD["mlflow"]["resources"]["requests"]["cpu"]))


def test_rolling_update(
    kube: Kube, helm: Helm, clients: Clients, shared_namespace: str, values: dict[str, Any]
) -> None:
    before = {pod.metadata.uid for pod in settle(kube, shared_namespace, 3)}
    with clients.lose_nothing():
        helm.install(shared_namespace, {**values, "podAnnotations": {"roll": "1"}}, wait="240s")
        after = settle(kube, shared_namespace, 3)
    assert not before & {pod.metadata.uid for pod in after}
    used = {pod.spec.node_name for pod in after}
    others = {node.metadata.name for node in kube.core.list_node().items} - used
    assert not [name for name in others if has_room(kube, name)], "new pods spread like the old ones"


def test_scale_down_and_up(kube: Kube, clients: Clients, shared_namespace: str) -> None:
    with clients.lose_nothing():
        scale(kube, shared_namespace, 1)
    with clients.lose_nothing():
        scale(kube, shared_namespace, 3)


def test_pods_are_deleted(kube: Kube, clients: Clients, shared_namespace: str) -> None:
    """Two of three at once, by a client that no PodDisruptionBudget stops."""
    with clients.lose_nothing():
        for pod in settle(kube, shared_namespace, 3)[:2]:
            kube.core.delete_namespaced_pod(pod.metadata.name, shared_namespace)
        settle(kube, shared_namespace, 3)


def test_a_node_is_drained(kube: Kube, clients: Clients, shared_namespace: str) -> None:
    """As `kubectl drain` does it: no new pods, then evictions. The budget lets one pod go at a time."""
    pods = settle(kube, shared_namespace, 3)
    # The spread is soft: after pods were deleted, all may be on one node.
    drained = pods[0].spec.node_name
    leaving = [pod for pod in pods if pod.spec.node_name == drained]
    with cordoned(kube, drained), clients.lose_nothing():
        assert evicted(kube, leaving[0])
        assert not evicted(kube, pods[-1]), "a second one while the first has no successor"
        for pod in leaving[1:]:
            eventually(lambda pod=pod: evicted(kube, pod), 120, "the next pod may go")  # type: ignore[misc]
        after = settle(kube, shared_namespace, 3)
    assert drained not in {pod.spec.node_name for pod in after}


def test_the_autoscaler_follows_the_load(
    kube: Kube, helm: Helm, clients: Clients, shared_namespace: str, values: dict[str, Any]
) -> None:
    """Up to the maximum, where another upgrade leaves it, and down again, without a lost request."""
    autoscaled = {**values, "autoscaling": AUTOSCALING}
    clients.rest(3)
    with clients.lose_nothing():
        helm.install(shared_namespace, autoscaled)
        settle(kube, shared_namespace, 2)
    clients.rest(0)
    with clients.lose_nothing():
        settle(kube, shared_namespace, 3)
        helm.install(shared_namespace, autoscaled)
        assert kube.apps.read_namespaced_deployment("mlflow", shared_namespace).spec.replicas == 3
    clients.rest(3)
    with clients.lose_nothing():
        settle(kube, shared_namespace, 2)


def test_health_looks_at_both(kubeconfig: Path, clients: Clients, shared_namespace: str) -> None:
    done = run(f"mlflowops health --output json --namespace {shared_namespace}", kubeconfig, check=False)
    lines = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert lines["autoscaling"]["detail"] == "2 pods of 2 to 3"
    assert lines["disruption"]["detail"] == "1 of 2 healthy pods may be evicted at a time"
