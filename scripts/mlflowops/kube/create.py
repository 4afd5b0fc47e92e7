"""Creates objects."""

from collections.abc import Callable

from kubernetes import client

from mlflowops.kube.api_errors import CONFLICT, ApiError
from mlflowops.kube.reader import Json


def create_namespace(api: client.ApiClient, body: Json) -> bool:
    """Create a Namespace; return whether it was absent."""
    return _create_if_absent(client.CoreV1Api(api).create_namespace, body=body)


def create_secret(api: client.ApiClient, namespace: str, body: Json) -> bool:
    """Create a Secret; return whether it was absent."""
    return _create_if_absent(client.CoreV1Api(api).create_namespaced_secret, namespace=namespace, body=body)


def create_job(api: client.ApiClient, namespace: str, body: Json) -> bool:
    """Create a Job; return whether it was absent."""
    return _create_if_absent(client.BatchV1Api(api).create_namespaced_job, namespace=namespace, body=body)


def _create_if_absent(create: Callable[..., object], **what: object) -> bool:
    """Create an object that another process may be creating at the same time."""
    try:
        create(**what)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        return False
    return True
