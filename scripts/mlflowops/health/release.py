"""The release as the Kubernetes API has it, in the API's own words (plain JSON)."""

from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from mlflowops import kube
from mlflowops.errors import OpsError

Json = dict[str, Any]
NOT_FOUND = 404


@dataclass(frozen=True)
class Release:
    """The server's Deployment, its pods that are not leaving, and the endpoints of its Service."""

    deployment: Json
    pods: list[Json]
    endpoints: list[Json]

    @property
    def name(self) -> str:
        """Name of the Deployment and of the Service."""
        return str(self.deployment["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Namespace of all of it."""
        return str(self.deployment["metadata"]["namespace"])

    @property
    def path(self) -> str:
        """The URL path that the server lives under (mlflow.staticPrefix); empty for the root."""
        boxes = self.deployment["spec"]["template"]["spec"]["containers"]
        env = {each["name"]: each.get("value", "") for box in boxes for each in box.get("env", [])}
        return str(env.get("MLFLOW_STATIC_PREFIX", ""))


def read(namespace: str, name: str, context: str | None, seconds: float) -> Release:
    """Ask the API for the release. OpsError if there is no cluster or no such Deployment."""
    api = kube.connect(context)
    with kube.speaking(f"deployment/{name} in namespace {namespace!r}"):
        deployment = api.sanitize_for_serialization(_deployment(api, namespace, name, seconds))
        labels = deployment["spec"]["selector"]["matchLabels"]
        pods = client.CoreV1Api(api).list_namespaced_pod(
            namespace,
            label_selector=",".join(f"{key}={value}" for key, value in labels.items()),
            _request_timeout=seconds,
        )
        slices = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(
            namespace, label_selector=f"kubernetes.io/service-name={name}", _request_timeout=seconds
        )
    endpoints = [endpoint for each in slices.items for endpoint in each.endpoints or []]
    alive = [pod for pod in api.sanitize_for_serialization(pods.items) if _stays(pod)]
    return Release(deployment, alive, api.sanitize_for_serialization(endpoints))


def _stays(pod: Json) -> bool:
    return "deletionTimestamp" not in pod["metadata"]


def _deployment(api: client.ApiClient, namespace: str, name: str, seconds: float) -> client.V1Deployment:
    try:
        return client.AppsV1Api(api).read_namespaced_deployment(name, namespace, _request_timeout=seconds)
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
        instead = "deploy it (`helmfile -e <environment> apply`), or name another --namespace or --release"
        raise OpsError(f"deployment/{name}", f"not in namespace {namespace!r}", instead) from error
