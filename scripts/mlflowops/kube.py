"""The way to a Kubernetes cluster: the kubeconfig and context that kubectl would use."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError

from mlflowops.errors import OpsError

NO_CLUSTER = (
    "set KUBECONFIG, name a context of `kubectl config get-contexts`, or make a cluster with `make up`"
)


def connect(context: str | None = None) -> client.ApiClient:
    """A client for the context named, else the current one; in a pod, for the pod's cluster."""
    settings = client.Configuration()
    try:
        config.load_config(context=context or None, client_configuration=settings)
    except ConfigException as error:
        what = f"context {context!r}" if context else "kubeconfig"
        raise OpsError(what, str(error).rstrip("."), NO_CLUSTER) from error
    settings.retries = False  # one honest answer at once instead of a minute of silence
    return client.ApiClient(settings)


@contextmanager
def speaking(what: str) -> Iterator[None]:
    """Turn what the API refuses, or that it is silent, into an OpsError about `what`."""
    try:
        yield
    except ApiException as error:
        allowed = "use an account that may do this: `kubectl auth can-i --list`"
        raise OpsError(what, f"the Kubernetes API answers {error.status} {error.reason}", allowed) from error
    except HTTPError as error:
        raise OpsError(what, f"the Kubernetes API does not answer ({error})", NO_CLUSTER) from error
