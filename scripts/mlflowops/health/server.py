"""What the server itself says over HTTP: alive, version, database, artifact round trip."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from mlflowops.health.check import Check, green, red

EXPERIMENT = "_mlflowops-health"
RUN_NAME = "health check"
"""The one experiment and the one run that the artifact check uses again and again: nothing grows."""


class Server:
    """A tracking server at a URL, with the credentials of MLflow's own variables (MLFLOW_TRACKING_...)."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url = url.rstrip("/")
        self.seconds = seconds

    def get(self, path: str) -> requests.Response:
        """One request, one answer, no retries."""
        user, password = (os.environ.get(f"MLFLOW_TRACKING_{part}") for part in ("USERNAME", "PASSWORD"))
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token and not user else {}
        login = (user, password or "") if user else None
        return requests.get(self.url + path, auth=login, headers=headers, timeout=self.seconds)


def checks(url: str, seconds: float) -> Iterator[Check]:
    """All that can be asked at a URL. Stops when nobody answers there."""
    server = Server(url, seconds)
    alive = _asked("health", lambda: health(server))
    yield alive
    if alive.status == "ok":
        yield _asked("version", lambda: version(server))
        yield _asked("database", lambda: database(server))
        yield _asked("artifacts", lambda: artifacts(server))


def health(server: Server) -> Check:
    """Does a server process answer?"""
    answer = server.get("/health")
    if answer.ok:
        return green("health", f"{server.url} answers in {answer.elapsed.total_seconds() * 1000:.0f} ms")
    return red(
        "health",
        f"{server.url}/health answers {answer.status_code}",
        "is this an MLflow server? check the URL and its path",
    )


def version(server: Server) -> Check:
    """Which MLflow is it?"""
    answer = server.get("/version")
    if answer.ok:
        return green("version", f"MLflow {answer.text.strip()}")
    return _refused("version", answer)


def database(server: Server) -> Check:
    """Does the server reach its database? /health does not tell: it answers without one."""
    answer = server.get("/api/2.0/mlflow/experiments/get?experiment_id=0")
    if answer.ok or _missing(answer):  # "no such experiment" is a database's answer too
        return green("database", f"answers in {answer.elapsed.total_seconds() * 1000:.0f} ms")
    if answer.status_code in (401, 403):
        return _refused("database", answer)
    fix = "is the database up, and is backendStore right? `kubectl logs deployment/mlflow`"
    return red("database", f"HTTP {answer.status_code}: {answer.text.strip()[:200]}", fix)


def artifacts(server: Server) -> Check:
    """Does what goes into the artifact store come out again?"""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with _patient_client(server.seconds), tempfile.TemporaryDirectory() as folder:
        store = get_artifact_repository(_run_artifacts(server.url), tracking_uri=server.url)
        sent = Path(folder) / f"{uuid.uuid4()}.txt"
        sent.write_text(sent.name)
        store.log_artifact(str(sent))
        try:
            got = Path(store.download_artifacts(sent.name, tempfile.mkdtemp(dir=folder))).read_text()
        finally:
            store.delete_artifacts(sent.name)
    if got == sent.name:
        return green("artifacts", "written, read back equal, deleted")
    return red(
        "artifacts",
        "read back something else than was written",
        "is another bucket behind the store's address?",
    )


def _run_artifacts(url: str) -> str:
    """The artifact folder of the check's own run, made the first time; the tag proves that a write works."""
    from mlflow import MlflowClient
    from mlflow.utils.time import get_current_time_millis

    client = MlflowClient(tracking_uri=url)
    found = client.get_experiment_by_name(EXPERIMENT)
    if found and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    experiment = found.experiment_id if found else client.create_experiment(EXPERIMENT)
    runs = client.search_runs([experiment], max_results=1)
    run = runs[0] if runs else client.create_run(experiment, run_name=RUN_NAME)
    client.set_tag(run.info.run_id, "checked", str(get_current_time_millis()))
    return str(run.info.artifact_uri)


@contextmanager
def _patient_client(seconds: float) -> Iterator[None]:
    """MLflow's client as a health check needs it: fail early, and everything through the server.

    Presigned URLs name the object store as the server sees it, which this machine may not reach.
    """
    wanted = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(int(seconds)),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _asked(name: str, ask: Callable[[], Check]) -> Check:
    """The check's answer; what it could not even ask is red too."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except requests.RequestException as error:
        return red(name, f"no answer: {_short(error)}", "is the URL right, and is the way to it open?")
    except MlflowException as error:
        fix = "are bucket, endpoint and credentials of artifactStore right? `kubectl logs deployment/mlflow`"
        return red(name, _short(error), fix)


def _missing(answer: requests.Response) -> bool:
    return answer.status_code == 404 and "RESOURCE_DOES_NOT_EXIST" in answer.text


def _refused(name: str, answer: requests.Response) -> Check:
    if answer.status_code == 401:
        fix = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD of an account that may read"
    elif answer.status_code == 403:
        fix = "add the URL's host name to mlflow.allowedHosts, or use an account that may read"
    else:
        fix = "`kubectl logs deployment/mlflow` says why"
    return red(name, f"HTTP {answer.status_code}: {answer.text.strip()[:200]}", fix)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
