"""Connects to the tracking server, and turns its errors into OpsErrors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from mlflowops.errors import OpsError

# mlflow takes seconds to import: only a command that talks to a server pays for it.
if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_TRACKING_URI"
SECONDS_TO_ANSWER = 10


def client() -> "MlflowClient":
    """Return a client of the server at MLFLOW_TRACKING_URI, after a check that it answers."""
    address = os.environ.get(VARIABLE)
    if not address:
        raise OpsError(
            VARIABLE,
            "not set",
            "set it to the server's address, for example http://localhost:5000 while "
            "`kubectl port-forward -n ml service/mlflow 5000:5000` runs",
        )
    return client_for(address, VARIABLE)


def client_for(address: str, what: str) -> "MlflowClient":
    """Return a client of one server. `what` names the setting that the address came from."""
    # Results go to stdout as JSON, progress to stderr; mlflow would mix its own lines into them.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    from mlflow import MlflowClient

    if address.startswith(("http://", "https://")):
        _check_reachable(address, what)
    return MlflowClient(address, registry_uri=address)


def _check_reachable(address: str, what: str) -> None:
    """Request /health once: mlflow itself would retry a wrong address for four minutes."""
    from mlflow.tracking._tracking_service.utils import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    try:
        answer = http_request(
            get_default_host_creds(address),
            "/health",
            "GET",
            max_retries=0,
            timeout=SECONDS_TO_ANSWER,
            raise_on_status=False,
        )
    except Exception as error:
        raise OpsError(
            what, f"{address} does not answer", "start the server or correct the address"
        ) from error
    if answer.status_code != 200:
        wrong = f"{address}/health answers HTTP {answer.status_code}"
        raise OpsError(
            what, wrong, "point it at an MLflow server, without a path unless it has a static prefix"
        )


@contextmanager
def server_errors(what: str) -> Iterator[None]:
    """Turn an error of the server into an OpsError about `what`."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        _raise_ops_error(what, error)


def _raise_ops_error(what: str, error: Exception) -> NoReturn:
    from mlflow.exceptions import MlflowException

    code = error.error_code if isinstance(error, MlflowException) else ""
    wrong = str(error).strip().splitlines()[0].removeprefix(f"{code}: ").rstrip(".")
    advice = {
        "RESOURCE_DOES_NOT_EXIST": "check the name, and that MLFLOW_TRACKING_URI is the server you mean",
        "PERMISSION_DENIED": "ask the owner for permission",
        "UNAUTHENTICATED": "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        "INVALID_PARAMETER_VALUE": "correct it and run again",
    }
    raise OpsError(
        what, wrong, advice.get(code, "run `mlflowops health` and look at the server's log")
    ) from error
