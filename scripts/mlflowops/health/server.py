"""What the server itself says over HTTP: alive, version, database."""

from collections.abc import Callable, Iterator

import requests

from mlflowops.health import artifacts
from mlflowops.health.check import Check, green, red
from mlflowops.health.client import Server

PORT = 5000
LOGS = "`kubectl logs deployment/mlflow` says why"


def checks(server: Server) -> Iterator[Check]:
    """All that can be asked of a server. Stops when none answers."""
    alive = asked("health", lambda: health(server))
    yield alive
    if alive.status == "ok":
        yield asked("version", lambda: version(server))
        yield asked("database", lambda: database(server))
        yield asked("artifacts", lambda: artifacts.artifacts(server))


def health(server: Server) -> Check:
    """Does a server process answer?"""
    answer = server.ask("GET", "/health")
    if answer.ok:
        return green("health", f"{server.where} answers in {_milliseconds(answer)}")
    detail = f"{server.where}: /health answers {answer.status_code}"
    return red("health", detail, "is this an MLflow server? check the URL and its path")


def version(server: Server) -> Check:
    """Which MLflow is it?"""
    return green("version", f"MLflow {server.must('GET', '/version').text.strip()}")


def database(server: Server) -> Check:
    """Does the server reach its database? /health does not tell: it answers without one."""
    answer = server.ask("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    if answer.status_code >= 500:
        fix = f"is the database up, and is backendStore right? {LOGS}"
        return red("database", _said(answer), fix)
    if not answer.ok and not artifacts.missing(answer):  # "no such experiment" is a database's answer too
        answer.raise_for_status()
    return green("database", f"answers in {_milliseconds(answer)}")


def asked(name: str, ask: Callable[[], Check]) -> Check:
    """The check's answer; what it could not even ask is red too."""
    try:
        return ask()
    except requests.HTTPError as error:
        return red(name, _said(error.response), _fix(name, error.response.status_code))
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


def _said(answer: requests.Response) -> str:
    text = " ".join(answer.text.split())[:200]
    return f"{answer.request.method} {answer.request.path_url} answers {answer.status_code}: {text}"


def _milliseconds(answer: requests.Response) -> str:
    return f"{answer.elapsed.total_seconds() * 1000:.0f} ms"
