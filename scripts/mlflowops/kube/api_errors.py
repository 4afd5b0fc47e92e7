"""Errors of the Kubernetes API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes.client.exceptions import ApiException as ApiError
from urllib3.exceptions import HTTPError

from mlflowops.errors import OpsError

__all__ = ["CONFLICT", "FORBIDDEN", "NOT_FOUND", "NO_CLUSTER", "ApiError", "HTTPError", "api_errors"]

NO_CLUSTER = "set KUBECONFIG, name a --context of `kubectl config get-contexts`, or make a cluster: `make up`"
FORBIDDEN, NOT_FOUND, CONFLICT = 403, 404, 409


@contextmanager
def api_errors(what: str) -> Iterator[None]:
    """Turn an error of the API, or no answer from it, into an OpsError.

    Args:
        what: Subject of the error message.

    Raises:
        OpsError: The API refused a request of the block, or did not answer it.
    """
    try:
        yield
    except ApiError as error:
        wrong = f"the Kubernetes API answers {error.status}: {_message(error)}"
        raise OpsError(what, wrong, "use an account that may, `kubectl auth can-i --list`") from error
    except HTTPError as error:
        raise OpsError(what, f"the Kubernetes API does not answer ({error})", NO_CLUSTER) from error


def _message(error: ApiError) -> str:
    """Return the message of the Status object that the API sends with an error."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
