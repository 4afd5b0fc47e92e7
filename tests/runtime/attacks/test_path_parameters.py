"""An account may not name its own thing in one place of a request, and another account's in another place."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from runtime.attacks.logins import LAUNCHERS, SETTINGS, add_account
from runtime.belongings import ANNA, BERT, Keeper
from runtime.server import Server

API = "/api/2.0/mlflow"
STATUS = {"status": "LOGGED_MODEL_READY"}
Keepers = tuple[Keeper, Keeper]


@pytest.fixture(scope="module", params=LAUNCHERS)
def keepers(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Keepers:
    """Anna and bert, who have permissions on what they make only: an experiment and a logged model each."""
    settings = {**SETTINGS, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS"}
    server = start(**settings, MLFLOW_KUBERNETES_LAUNCHER=request.param).ready()
    for account in (ANNA, BERT):
        add_account(server, *account)
    anna, bert = (Keeper(server.url, account) for account in (ANNA, BERT))
    for keeper, name in ((anna, "anna"), (bert, "bert")):
        keeper.ids = keeper.make("experiments/create", {"name": f"of {name}"})
        body = {**keeper.ids, "name": f"model-of-{name}"}
        keeper.ids["model_id"] = keeper.make("logged-models", body)["model"]["info"]["model_id"]
    return anna, bert


def test_two_values_are_refused(keepers: Keepers) -> None:
    """Whichever of them MLflow checks, and whichever its handler uses."""
    models = {"anna": keepers[0].ids["model_id"], "bert": keepers[1].ids["model_id"]}
    anna, bert = (f"{API}/logged-models/{model}" for model in models.values())
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
        answer = keepers[0].send(method, path, **more)
        refused = "model_id: the path has another value" in answer.text
        assert (answer.status_code, refused) in ((400, True), (403, False)), (method, more, answer.text)
        let_in += refused
    assert let_in > 5, "MLflow's login denies the others"
    assert keepers[1].send("GET", bert).json()["model"]["info"]["status"] == "LOGGED_MODEL_PENDING"


def test_the_same_value_twice_is_served(keepers: Keepers) -> None:
    """As MLflow's clients send it."""
    anna, same = keepers[0], {"model_id": keepers[0].ids["model_id"]}
    path = f"{API}/logged-models/{same['model_id']}"
    assert anna.send("GET", path, params=same).ok
    assert anna.send("PATCH", path, json={**same, **STATUS}).ok


def test_an_artifact_is_no_message(keepers: Keepers) -> None:
    """A file whose content looks like a message arrives as it is."""
    anna, experiment = keepers[0], keepers[0].ids["experiment_id"]
    run = anna.make("runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a.json"
    content = b'{"artifact_path": "x"}'
    assert anna.send("PUT", path, data=content, headers={"Content-Type": "application/json"}).ok
    assert anna.send("GET", path).content == content
