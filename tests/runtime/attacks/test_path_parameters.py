"""An account may not name its own thing in one place of a request, and another account's in another place."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.attacks.logins import LAUNCHERS, SETTINGS, add_account
from runtime.server import Server

ANNA, BERT = ("anna", "a long password of anna"), ("bert", "a long password of bert")
API = "/api/2.0/mlflow"
STATUS = {"status": "LOGGED_MODEL_READY"}


@pytest.fixture(scope="module", params=LAUNCHERS)
def server(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    """Two accounts without permissions but those on what they make."""
    settings = {**SETTINGS, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS"}
    running = start(**settings, MLFLOW_KUBERNETES_LAUNCHER=request.param).ready()
    for account in (ANNA, BERT):
        add_account(running, *account)
    return running


def call(server: Server, who: tuple[str, str], method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, f"{server.url}{API}{path}", auth=who, timeout=60, **more)


@pytest.fixture(scope="module")
def models(server: Server) -> dict[str, str]:
    """A logged model of each account."""
    made = {}
    for who in (ANNA, BERT):
        experiment = call(server, who, "POST", "/experiments/create", json={"name": f"of {who[0]}"}).json()
        body = {"experiment_id": experiment["experiment_id"], "name": f"model-of-{who[0]}"}
        answer = call(server, who, "POST", "/logged-models", json=body)
        made[who[0]] = answer.json()["model"]["info"]["model_id"]
    return made


def test_two_values_are_refused(server: Server, models: dict[str, str]) -> None:
    """Whichever of them MLflow checks, and whichever its handler uses."""
    anna, bert = (f"/logged-models/{models[name]}" for name in ("anna", "bert"))
    other = {"model_id": models["bert"], **STATUS}
    kind = {"Content-Type": "application/json"}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", bert, {"params": {"model_id": models["anna"]}}),
        ("GET", bert, {"params": [("model_id", models["bert"]), ("model_id", models["anna"])]}),
        ("GET", bert, {"params": {"modelId": models["anna"]}}),
        ("DELETE", bert, {"params": {"model_id": models["anna"]}}),
        ("PATCH", anna, {"json": other}),
        ("PATCH", anna, {"json": {"modelId": models["bert"], **STATUS}}),
        ("PATCH", anna, {"json": json.dumps(other)}),
        ("PATCH", anna, {"data": json.dumps(other), "headers": {"Content-Type": "text/plain"}}),
        ("PATCH", anna, {"data": json.dumps(other).encode("utf-16"), "headers": kind}),
        ("PATCH", f"{anna}/tags", {"json": {**other, "tags": [{"key": "a", "value": "b"}]}}),
        ("DELETE", f"{anna}/tags/a", {"json": {"model_id": models["bert"], "tag_key": "a"}}),
    ]
    let_in = 0
    for method, path, more in calls:
        answer = call(server, ANNA, method, path, **more)
        refused = "model_id: the path has another value" in answer.text
        assert (answer.status_code, refused) in ((400, True), (403, False)), (method, more, answer.text)
        let_in += refused
    assert let_in > 5, "MLflow's login denies the others"
    assert call(server, BERT, "GET", bert).json()["model"]["info"]["status"] == "LOGGED_MODEL_PENDING"


def test_the_same_value_twice_is_served(server: Server, models: dict[str, str]) -> None:
    """As MLflow's clients send it."""
    path, same = f"/logged-models/{models['anna']}", {"model_id": models["anna"]}
    assert call(server, ANNA, "GET", path, params=same).ok
    assert call(server, ANNA, "PATCH", path, json={**same, **STATUS}).ok


def test_an_artifact_is_no_message(server: Server) -> None:
    """A file whose content looks like a message arrives as it is."""
    experiment = call(server, ANNA, "POST", "/experiments/create", json={"name": "files"}).json()
    body = {"experiment_id": experiment["experiment_id"]}
    run = call(server, ANNA, "POST", "/runs/create", json=body).json()["run"]["info"]["run_id"]
    url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{body['experiment_id']}/{run}/artifacts/a.json"
    content = b'{"artifact_path": "x"}'
    kind = {"Content-Type": "application/json"}
    assert requests.put(url, content, auth=ANNA, headers=kind, timeout=60).ok
    assert requests.get(url, auth=ANNA, timeout=60).content == content
