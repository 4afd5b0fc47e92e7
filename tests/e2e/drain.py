"""What `kubectl drain` does to a node."""

import contextlib
from collections.abc import Iterator

from kubernetes import client
from kubernetes.client.rest import ApiException

from e2e.kube import Kube


@contextlib.contextmanager
def cordoned(kube: Kube, node: str) -> Iterator[None]:
    """No new pod is scheduled on the node; its pods stay."""
    kube.core.patch_node(node, {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        kube.core.patch_node(node, {"spec": {"unschedulable": None}})


def evicted(kube: Kube, pod: client.V1Pod) -> bool:
    """Ask for an eviction; False if a budget says not now."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    try:
        kube.core.create_namespaced_pod_eviction(name, namespace, body)
    except ApiException as error:
        assert error.status == 429 and "disruption budget" in error.body, error
        return False
    return True
