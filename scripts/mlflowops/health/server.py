"""Checks the server over HTTP: health, version, database, artifacts."""

from collections.abc import Callable, Iterator

import requests

from mlflowops.health import artifact_round_trip
from mlflowops.health.check import Check, green, red
from mlflowops.health.client import ServerClient

PORT = 5000
LOGS = "`kubectl logs deployment/mlflow` says why"


def checks(server: ServerClient) -> Iterator[Check]:
    """Yield all checks of a server; only the first if it fails."""
    alive = check_or_red("health", lambda: health(server))
    yield alive
    if alive.status == "ok":
        yield check_or_red("version", lambda: version(server))
        yield check_or_red("database", lambda: database(server))
        yield check_or_red("artifacts", lambda: artifact_round_trip.round_trip(server))


def health(server: ServerClient) -> Check:
    """Check that a server process answers."""
    answer = server.request("GET", "/health")
    if answer.ok:
        return green("health", f"{server.where} answers in {_milliseconds(answer)}")
    detail = f"{server.where}: /health answers {answer.status_code}"
    return red("health", detail, "is this an MLflow server? check the URL and its path")


def version(server: ServerClient) -> Check:
    """Report the version of MLflow."""
    return green("version", f"MLflow {server.request_ok('GET', '/version').text.strip()}")


def database(server: ServerClient) -> Check:
    """Check that the server reaches its database, which /health does not need."""
    answer = server.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    if answer.status_code >= 500:
        fix = f"is the database up, and is backendStore right? {LOGS}"
        return red("database", _describe(answer), fix)
    if not answer.ok and not artifact_round_trip.is_missing(
        answer
    ):  # "no such experiment" is a database's answer too
        answer.raise_for_status()
    return green("database", f"answers in {_milliseconds(answer)}")


def check_or_red(name: str, check: Callable[[], Check]) -> Check:
    """Return the result of a check, or a red one if its requests fail."""
    try:
        return check()
    except requests.HTTPError as error:
        return red(name, _describe(error.response), _fix(name, error.response.status_code))
    except requests.RequestException as error:
        return red(name, f"no answer: {error}", "is the URL right, and is the way to it open?")


def _fix(name: str, status: int) -> str:
    if status == 401:
        return "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD of an account that may read"
    if status == 403:
        return "add the URL's host name to mlflow.allowedHosts, or use an account that may do this"
    if name == "artifacts":
        return f"are bucket, endpoint and credentials of artifactStore right? {LOGS}"
    return LOGS


def _describe(answer: requests.Response) -> str:
    text = " ".join(answer.text.split())[:200]
    return f"{answer.request.method} {answer.request.path_url} answers {answer.status_code}: {text}"


def _milliseconds(answer: requests.Response) -> str:
    return f"{answer.elapsed.total_seconds() * 1000:.0f} ms"
