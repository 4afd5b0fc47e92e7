"""Reads the objects of a release."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlflowops import kube
from mlflowops.errors import OpsError
from mlflowops.kube import Json, Reader


@dataclass(frozen=True)
class Release:
    """The server's Deployment, its pods that are not terminating, and the endpoints of its Service."""

    deployment: Json
    pods: list[Json]
    endpoints: list[Json]

    @property
    def name(self) -> str:
        """Return the name of the Deployment and of the Service."""
        return str(self.deployment["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Return the namespace."""
        return str(self.deployment["metadata"]["namespace"])

    @property
    def env(self) -> dict[str, str]:
        """Return the environment variables of the server; those from Secrets are empty."""
        containers = self.deployment["spec"]["template"]["spec"]["containers"]
        return {
            each["name"]: each.get("value", "")
            for container in containers
            for each in container.get("env", [])
        }

    @property
    def path(self) -> str:
        """Return the URL path that the server lives under (mlflow.staticPrefix); empty for the root."""
        return self.env.get("MLFLOW_STATIC_PREFIX", "")

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels that all pods of the release have, of every component."""
        selected: dict[str, str] = self.deployment["spec"]["selector"]["matchLabels"]
        return {key: value for key, value in selected.items() if key != "app.kubernetes.io/component"}

    @property
    def secrets(self) -> set[str]:
        """Return the names of the Secrets that the server pods read."""
        return set(_secret_names(self.deployment["spec"]["template"]["spec"]))

    @property
    def ready_pod(self) -> Json | None:
        """Return a Ready pod, or None."""
        return next((pod for pod in self.pods if is_ready(pod)), None)


def read_release(reader: Reader, name: str) -> Release:
    """Read the objects of a release.

    Raises:
        OpsError: There is no cluster, or no such Deployment.
    """
    with kube.api_errors(f"deployment/{name} in namespace {reader.namespace!r}"):
        deployment = reader.get_if_present("apps/v1", "deployments", name)
        if deployment is None:
            instead = (
                "deploy it (`helmfile -e <environment> apply`), or name another --namespace or --release"
            )
            raise OpsError(f"deployment/{name}", f"not in namespace {reader.namespace!r}", instead)
        pods = reader.pods(deployment["spec"]["selector"]["matchLabels"])
        slices = reader.list_if_served(
            "discovery.k8s.io/v1", "endpointslices", f"kubernetes.io/service-name={name}"
        )
    return Release(deployment, pods, [each for one in slices for each in one.get("endpoints") or []])


def is_ready(pod: Json) -> bool:
    """Return whether a pod is Ready."""
    return "Ready" in kube.true_conditions(pod)


def container_port(pod: Json, name: str) -> int | None:
    """Return the number of a named port of a pod, or None."""
    ports = [each for container in pod["spec"]["containers"] for each in container.get("ports", [])]
    return next((each["containerPort"] for each in ports if each.get("name") == name), None)


def _secret_names(node: Any) -> Iterator[str]:
    """Yield the names in secretKeyRef, secretRef and volumes at any depth."""
    if isinstance(node, list):
        for each in node:
            yield from _secret_names(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("secretKeyRef", "secretRef"):
                yield value["name"]
            elif key == "secret":
                yield value.get("secretName") or value["name"]
            else:
                yield from _secret_names(value)
