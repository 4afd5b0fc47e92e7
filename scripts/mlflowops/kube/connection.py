"""Connects to a cluster: the kubeconfig and the context that kubectl would use."""

import os

from kubernetes import client, config
from kubernetes.client import ApiClient
from kubernetes.config import ConfigException

from mlflowops.errors import OpsError
from mlflowops.kube.api_errors import NO_CLUSTER, api_errors

__all__ = ["ApiClient", "connect", "ping"]


def connect(context: str | None = None) -> ApiClient:
    """Return a client for a context of the kubeconfig.

    Args:
        context: Name of the context; None for the current one.

    Raises:
        OpsError: There is no kubeconfig, or no such context in it.
    """
    settings = client.Configuration()
    file = os.environ.get("KUBECONFIG") or None
    try:
        config.load_kube_config(config_file=file, context=context or None, client_configuration=settings)
    except ConfigException as error:
        what = f"context {context!r}" if context else "kubeconfig"
        raise OpsError(what, str(error).rstrip("."), NO_CLUSTER) from error
    settings.retries = False  # fail at once instead of retrying for a minute without output
    return ApiClient(settings)


def ping(context: str) -> None:
    """Check that the API server of a context answers.

    Raises:
        OpsError: It does not answer, or refuses the account.
    """
    with api_errors(f"context {context!r}"):
        client.VersionApi(connect(context)).get_code(_request_timeout=10)
