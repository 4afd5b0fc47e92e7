"""Reads the state of a cluster from its API."""

import contextlib
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)
SYSTEM = "kube-system"
TIMEOUT = 15


class Api:
    """The API server behind a kubeconfig. It may be off, or still starting."""

    def __init__(self, kubeconfig: Path) -> None:
        settings = client.Configuration()
        config.load_kube_config(str(kubeconfig), client_configuration=settings)
        settings.retries = False  # waiting is the caller's business
        self.server: str = settings.host
        self._client = client.ApiClient(settings)
        self._core = client.CoreV1Api(self._client)
        self._apps = client.AppsV1Api(self._client)

    def ready(self) -> bool:
        """Whether the API server answers and has all it needs."""
        with contextlib.suppress(ApiException, HTTPError):
            answer = self._client.call_api("GET", f"{self.server}/readyz", _request_timeout=TIMEOUT)
            return bool(answer.status == 200)
        return False

    def version(self) -> str:
        """Kubernetes' version."""
        return str(client.VersionApi(self._client).get_code().git_version)

    def nodes(self) -> dict[str, Any]:
        """Each node by name."""
        return {_name(node): node for node in self._core.list_node(_request_timeout=TIMEOUT).items}

    def ready_nodes(self, since: datetime = LONG_AGO) -> set[str]:
        """The nodes that take pods and have said so since then; none if the API server does not answer."""
        with contextlib.suppress(ApiException, HTTPError):
            return {name for name, node in self.nodes().items() if is_ready(node, since)}
        return set()

    def addons(self) -> dict[str, bool]:
        """The Deployments in kube-system, and whether each is whole."""
        with contextlib.suppress(ApiException, HTTPError):
            found = self._apps.list_namespaced_deployment(SYSTEM, _request_timeout=TIMEOUT).items
            return {_name(each): _is_whole(each) for each in found}
        return {}


def is_ready(node: Any, since: datetime = LONG_AGO) -> bool:
    """Whether a node takes pods, by its word since then."""
    conditions = {each.type: each for each in node.status.conditions or []}
    ready = conditions.get("Ready")
    return bool(ready and ready.status == "True" and ready.last_heartbeat_time >= since)


def _name(thing: Any) -> str:
    return str(thing.metadata.name)


def _is_whole(deployment: Any) -> bool:
    status = deployment.status
    current = status.observed_generation == deployment.metadata.generation
    return bool(current and status.updated_replicas == status.ready_replicas == deployment.spec.replicas)
