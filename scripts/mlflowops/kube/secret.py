"""Looks at Secrets and changes them."""

from kubernetes import client

from mlflowops.kube.api_errors import NOT_FOUND, ApiError
from mlflowops.kube.reader import Json


def secret_labels(api: client.ApiClient, namespace: str, name: str) -> dict[str, str] | None:
    """Return the labels of a Secret; None if there is no such Secret."""
    try:
        metadata = client.CoreV1Api(api).read_namespaced_secret(name, namespace).metadata
        return dict((metadata and metadata.labels) or {})
    except ApiError as error:
        if error.status == NOT_FOUND:
            return None
        raise


def patch_secret(api: client.ApiClient, namespace: str, name: str, body: Json) -> None:
    """Change the keys of a Secret that `body` has, and keep all others."""
    client.CoreV1Api(api).patch_namespaced_secret(name, namespace, body)
