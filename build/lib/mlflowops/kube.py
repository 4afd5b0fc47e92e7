"""The way to a Kubernetes cluster: the kubeconfig and context that kubectl would use.

The official client takes a second to import, so commands import this module where they run.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError

from mlflowops.errors import OpsError

NO_CLUSTER = "set KUBECONFIG, name a --context of `kubectl config get-contexts`, or make a cluster: `make up`"
CONFLICT = 409


def connect(context: str | None = None) -> client.ApiClient:
    """A client for the context named, else for the current one."""
    settings = client.Configuration()
    file = os.environ.get("KUBECONFIG") or None
    try:
        config.load_kube_config(config_file=file, context=context or None, client_configuration=settings)
    except ConfigException as error:
        what = f"context {context!r}" if context else "kubeconfig"
        raise OpsError(what, str(error).rstrip("."), NO_CLUSTER) from error
    settings.retries = False  # one honest answer at once instead of a minute of silence
    return client.ApiClient(settings)


def ping(context: str) -> None:
    """Nothing where the API of this context answers, else an OpsError."""
    with speaking(f"context {context!r}"):
        client.VersionApi(connect(context)).get_code(_request_timeout=10)


@contextmanager
def speaking(what: str) -> Iterator[None]:
    """Turn what the API refuses, or that it is silent, into an OpsError about `what`."""
    try:
        yield
    except ApiException as error:
        wrong = f"the Kubernetes API answers {error.status}: {_message(error)}"
        raise OpsError(what, wrong, "use an account that may, `kubectl auth can-i --list`") from error
    except HTTPError as error:
        raise OpsError(what, f"the Kubernetes API does not answer ({error})", NO_CLUSTER) from error


def create_if_absent(create: Callable[..., object], **what: object) -> bool:
    """Create an object, and take "it exists" for an answer: another process may be doing the same."""
    try:
        create(**what)
    except ApiException as error:
        if error.status != CONFLICT:
            raise
        return False
    return True


def _message(error: ApiException) -> str:
    """What the API says is wrong; its answers are Status objects."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
