"""Scales Deployments."""

from kubernetes import client

from mlflowops.errors import OpsError
from mlflowops.kube.reader import Json, Reader
from mlflowops.kube.wait import wait_until


def is_observed(deployment: Json) -> bool:
    """Return whether the status is of the newest spec."""
    observed: int = deployment.get("status", {}).get("observedGeneration", 0)
    return observed >= int(deployment["metadata"]["generation"])


def scale(reader: Reader, name: str, replicas: int, seconds: float) -> None:
    """Scale a Deployment and wait until as many pods are ready and no other one is left.

    Args:
        reader: Reader of its namespace.
        name: Name of the Deployment.
        replicas: Number of pods.
        seconds: How long to wait.

    Raises:
        OpsError: The time is over.
    """
    body = {"spec": {"replicas": replicas}}
    client.AppsV1Api(reader.api).patch_namespaced_deployment_scale(name, reader.namespace, body)

    def is_scaled() -> bool:
        found = reader.get("apps/v1", "deployments", name)
        status = found["status"]
        return is_observed(found) and replicas == status.get("readyReplicas", 0) == status.get("replicas", 0)

    if not wait_until(is_scaled, seconds):
        fix = f"`kubectl describe pods -n {reader.namespace} -l app=mlflow`"
        wrong = f"has not come to {replicas} pods in {seconds:.0f} s"
        raise OpsError(f"deployment/{name}", wrong, fix, exit_code=1)
