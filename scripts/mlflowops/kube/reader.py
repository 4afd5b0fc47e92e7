"""Reads the objects of one namespace as plain JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client

from mlflowops.kube.api_errors import NOT_FOUND, ApiError

Json = dict[str, Any]


class Reader:
    """Reads the objects of one namespace, in the field names of the API.

    Attributes:
        api: Client of the cluster.
        namespace: Namespace to read.
        seconds: Time limit of each request; None for no limit.
    """

    def __init__(self, api: client.ApiClient, namespace: str, seconds: float | None = None) -> None:
        self.api = api
        self.namespace = namespace
        self.seconds = seconds
        self._core = client.CoreV1Api(api)
        # Serves every group but the core one, whether a custom one or not.
        self._groups = client.CustomObjectsApi(api)

    def get(self, group: str, plural: str, name: str) -> Json:
        """Return one object, as in `get("apps/v1", "deployments", "mlflow")`."""
        found: Json = self._request(
            self._groups.get_namespaced_custom_object, *group.split("/"), self.namespace, plural, name
        )
        return found

    def get_if_present(self, group: str, plural: str, name: str) -> Json | None:
        """Return one object, or None if it or its kind does not exist."""
        return _if_present(lambda: self.get(group, plural, name))

    def list_all(self, group: str, plural: str, selector: str = "") -> list[Json]:
        """Return all objects of a kind that a label selector matches."""
        listed = self._groups.list_namespaced_custom_object
        found = self._request(
            listed, *group.split("/"), self.namespace, plural, label_selector=selector or None
        )
        return list(found["items"])

    def list_if_served(self, group: str, plural: str, selector: str = "") -> list[Json]:
        """Return all objects of a kind; an empty list if the cluster does not serve the kind."""
        return _if_present(lambda: self.list_all(group, plural, selector)) or []

    def get_cluster_object(self, group: str, plural: str, name: str) -> Json:
        """Return one object that belongs to no namespace."""
        found: Json = self._request(self._groups.get_cluster_custom_object, *group.split("/"), plural, name)
        return found

    def list_all_namespaces(self, group: str, plural: str, selector: str) -> list[Json]:
        """Return all objects of a kind in all namespaces."""
        listed = self._groups.list_cluster_custom_object
        return list(self._request(listed, *group.split("/"), plural, label_selector=selector)["items"])

    def kinds(self, group: str) -> set[str]:
        """Return the kinds that the cluster serves of a group; every account may list them."""
        found = _if_present(lambda: self._request(self._groups.get_api_resources, *group.split("/")))
        return {each["kind"] for each in found["resources"]} if found else set()

    def pods(self, labels: Mapping[str, str], fields: str = "") -> list[Json]:
        """Return the pods with these labels that are not terminating."""
        found = self.list_pods(",".join(f"{key}={value}" for key, value in labels.items()), fields)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def list_pods(self, selector: str, fields: str = "") -> list[Json]:
        """Return the pods that a label selector and a field selector match, terminating ones too."""
        listed = self._core.list_namespaced_pod
        found = self._request(listed, self.namespace, label_selector=selector, field_selector=fields or None)
        return list(found["items"])

    def service(self, name: str) -> Json | None:
        """Return one Service, or None if there is none."""
        return _if_present(lambda: self._request(self._core.read_namespaced_service, name, self.namespace))

    def secret(self, name: str) -> Json | None:
        """Return one Secret, or None if there is none."""
        return _if_present(lambda: self._request(self._core.read_namespaced_secret, name, self.namespace))

    def log(self, pod: str, container: str) -> str:
        """Return the log of a container."""
        read = self._core.read_namespaced_pod_log
        return str(self._request(read, pod, self.namespace, container=container))

    def _request(self, request: Callable[..., Any], *what: str, **more: Any) -> Any:
        found = request(*what, **more, _request_timeout=self.seconds)
        return self.api.sanitize_for_serialization(found)


def _if_present(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return None
