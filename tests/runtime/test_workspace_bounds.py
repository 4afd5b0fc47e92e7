"""A request reaches nothing of another workspace, also where MLflow does not look ids up in its own."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from runtime.network import wait_until
from runtime.server import Server

ENV = {
    "MLFLOW_BACKEND_STORE_URI": "sqlite:///mlflow.db",
    "MLFLOW_ENABLE_WORKSPACES": "true",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
}
API = "/api/2.0/mlflow"


class Workspace:
    """A workspace of a server, as a client of it."""

    def __init__(self, server: Server, name: str) -> None:
        self.url, self.headers = server.url, {"X-MLFLOW-WORKSPACE": name}

    def post(self, path: str, **body: Any) -> requests.Response:
        """Send a call."""
        return requests.post(f"{self.url}{path}", json=body, headers=self.headers, timeout=60)

    def make(self, path: str, **body: Any) -> Any:
        """Send a call that has to succeed; its answer."""
        answer = self.post(f"{API}/{path}", **body)
        assert answer.ok, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def both(start: Callable[..., Server]) -> tuple[Workspace, Workspace]:
    """Two workspaces."""
    server = start(**ENV).ready()
    found = [Workspace(server, name) for name in ("first", "second")]
    for each in found:
        name = each.headers["X-MLFLOW-WORKSPACE"]
        assert requests.post(f"{server.url}/api/3.0/mlflow/workspaces", json={"name": name}, timeout=60).ok
    return found[0], found[1]


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """A receiver of webhooks: its address, and the names of the models that it has heard of."""
    names: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            names.append(body["data"]["name"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", names
    server.shutdown()


def test_a_webhook_hears_of_its_workspace(
    both: tuple[Workspace, Workspace], heard: tuple[str, list[str]]
) -> None:
    """Also within the minute for which MLflow remembers the webhooks of an event."""
    first, second = both
    events = [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]
    first.make("webhooks", name="first", url=heard[0], events=events)
    first.make("registered-models/create", name="known")
    wait_until("the first event", lambda: heard[1] == ["known"])
    second.make("registered-models/create", name="secret")
    first.make("registered-models/create", name="known too")
    wait_until("the next event", lambda: "known too" in heard[1])
    assert heard[1] == ["known", "known too"]
    second.make("webhooks", name="second", url=heard[0], events=events)


def test_no_metric_of_a_model_of_another_workspace(both: tuple[Workspace, Workspace]) -> None:
    first, second = both
    experiments = [each.make("experiments/create", name="e")["experiment_id"] for each in both]
    run = first.make("runs/create", experiment_id=experiments[0])["run"]["info"]["run_id"]
    models = [
        each.make("logged-models", experiment_id=experiment, name="m")["model"]["info"]["model_id"]
        for each, experiment in zip(both, experiments, strict=True)
    ]
    metric = {"key": "loss", "value": 1, "timestamp": 1, "step": 0}
    for model, status in zip(models, (200, 404), strict=True):
        named = {**metric, "model_id": model}
        assert first.post(f"{API}/runs/log-metric", run_id=run, **named).status_code == status
        assert first.post(f"{API}/runs/log-batch", run_id=run, metrics=[named]).status_code == status
    found = requests.get(f"{second.url}{API}/logged-models/{models[1]}", headers=second.headers, timeout=60)
    assert "metrics" not in found.json()["model"]["data"]


def test_there_is_no_demo(both: tuple[Workspace, Workspace]) -> None:
    """While MLflow writes it, its process takes the demo's workspace for that of other requests."""
    for path in ("/ajax-api/3.0/mlflow/demo/generate", "/ajax-api/3.0/mlflow//demo/delete"):
        assert both[0].post(path, features=[]).status_code == 404
