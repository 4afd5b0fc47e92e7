"""The objects of one namespace in the API's own words (plain JSON); what is not installed is not there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

Json = dict[str, Any]
NOT_FOUND = 404


def moment(said: str) -> datetime:
    """A time of the API, in a form that Python 3.10 reads too."""
    return datetime.fromisoformat(said.replace("Z", "+00:00"))


class Objects:
    """Asks the API of one cluster about one namespace."""

    def __init__(self, api: client.ApiClient, namespace: str, seconds: float) -> None:
        self.api = api
        self.namespace = namespace
        self.seconds = seconds
        self._core = client.CoreV1Api(api)
        # Serves every group but the core one, whether a custom one or not.
        self._groups = client.CustomObjectsApi(api)

    def all(self, group: str, plural: str, selector: str = "") -> list[Json]:
        """All objects of a kind, as in `all("apps/v1", "deployments")`."""
        found = self._ask(
            self._groups.list_namespaced_custom_object,
            *group.split("/"),
            self.namespace,
            plural,
            label_selector=selector,
        )
        return list(found["items"]) if found else []

    def one(self, group: str, plural: str, name: str) -> Json | None:
        """One object."""
        ask = self._groups.get_namespaced_custom_object
        found: Json | None = self._ask(ask, *group.split("/"), self.namespace, plural, name)
        return found

    def pods(self, labels: dict[str, str]) -> list[Json]:
        """The pods with these labels that are not leaving."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = self._ask(self._core.list_namespaced_pod, self.namespace, label_selector=selector)
        return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]

    def service(self, name: str) -> Json | None:
        """One Service."""
        found: Json | None = self._ask(self._core.read_namespaced_service, name, self.namespace)
        return found

    def secret(self, name: str) -> Json | None:
        """One Secret."""
        found: Json | None = self._ask(self._core.read_namespaced_secret, name, self.namespace)
        return found

    def _ask(self, ask: Callable[..., Any], *what: str, **more: Any) -> Any:
        try:
            found = ask(*what, **more, _request_timeout=self.seconds)
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            return None
        return self.api.sanitize_for_serialization(found)
