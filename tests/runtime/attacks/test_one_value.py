"""An account names its own thing where MLflow's login looks, and another account's where its handler does."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from runtime import graphql
from runtime.attacks.logins import LAUNCHERS, SETTINGS
from runtime.belongings import MARK, Keeper, keep
from runtime.server import Server
from runtime.test_two_accounts import GATEWAY

API, API3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
STATUS = {"status": "LOGGED_MODEL_READY"}
TEXT = {"Content-Type": "text/plain"}
Keepers = tuple[Keeper, Keeper]
Calls = list[tuple[str, str, dict[str, Any]]]


@pytest.fixture(scope="module", params=LAUNCHERS)
def keepers(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Keepers:
    """Anna and bert, who have permissions on what they make only."""
    settings = {**SETTINGS, **GATEWAY, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS"}
    return keep(start(**settings, MLFLOW_KUBERNETES_LAUNCHER=request.param).ready())


def refuse(keeper: Keeper, calls: Calls) -> int:
    """Send calls, each of which has to be refused; how many MLflow's login let in."""
    let_in = 0
    for method, path, more in calls:
        answer = keeper.send(method, path, **more)
        assert answer.status_code in (400, 403), (method, path, more, answer.status_code, answer.text)
        assert MARK not in answer.text
        let_in += answer.status_code == 400
    return let_in


def test_two_values_of_a_parameter_of_the_path(keepers: Keepers) -> None:
    """Whichever of them MLflow checks, and whichever its handler uses."""
    models = {name: keepers[0].ids[f"{name}-logged"] for name in ("annas", "berts")}
    anna, bert = (f"{API}/logged-models/{model}" for model in models.values())
    other = {"model_id": models["berts"], **STATUS}
    kind = {"Content-Type": "application/json"}
    calls: Calls = [
        ("GET", bert, {"params": {"model_id": models["annas"]}}),
        ("GET", bert, {"params": [("model_id", models["berts"]), ("model_id", models["annas"])]}),
        ("GET", bert, {"params": {"modelId": models["annas"]}}),
        ("DELETE", bert, {"params": {"model_id": models["annas"]}}),
        ("PATCH", anna, {"json": other}),
        ("PATCH", anna, {"json": {"modelId": models["berts"], **STATUS}}),
        ("PATCH", anna, {"json": json.dumps(other)}),
        ("PATCH", anna, {"data": json.dumps(other), "headers": TEXT}),
        ("PATCH", anna, {"data": json.dumps(other).encode("utf-16"), "headers": kind}),
        ("PATCH", f"{anna}/tags", {"json": {**other, "tags": [{"key": "a", "value": "b"}]}}),
        ("DELETE", f"{anna}/tags/a", {"json": {"model_id": models["berts"], "tag_key": "a"}}),
    ]
    assert refuse(keepers[0], calls) > 5
    assert keepers[1].send("GET", bert).json()["model"]["info"]["status"] == "LOGGED_MODEL_PENDING"


def test_two_names_of_a_run(keepers: Keepers) -> None:
    """MLflow takes `run_uuid` and `runId` for `run_id`, and stops reading at a value of a wrong type."""
    anna, bert = keepers
    mine, other = anna.ids["annas-run"], anna.ids["berts-run"]
    path = f"{API}/runs/get?run_id={other}"
    before = bert.send("GET", path).text
    bodies: dict[str, dict[str, Any]] = {
        "update": {"run_name": "x"},
        "delete": {},
        "set-tag": {"key": "x", "value": "x"},
        "delete-tag": {"key": "note"},
        "log-parameter": {"key": "x", "value": "x"},
        "log-metric": {"key": "x", "value": 1, "timestamp": 1},
        "log-batch": {"tags": [{"key": "x", "value": "x"}]},
        "log-inputs": {
            "datasets": [{"dataset": {"name": "x", "digest": "1", "source_type": "t", "source": "s"}}]
        },
        "outputs": {"models": [{"model_id": anna.ids["annas-logged"], "step": 1}]},
    }
    spellings: list[dict[str, Any]] = [
        {"runId": other, "run_uuid": mine},
        {"runUuid": other, "run_id": mine},
        {"run_uuid": other, "endTime": "x", "key": 1, "run_id": mine},
        {"runUuid": other, "run_uuid": mine},
        {"runId": other},
    ]
    calls: Calls = [
        ("POST", f"{API}/runs/{name}", {"json": {**ids, **body, **ids}})
        for name, body in bodies.items()
        for ids in spellings
    ]
    for ids in spellings:
        calls.append(
            ("POST", f"{API}/artifacts/presigned-download-url", {"json": {**ids, "path": "note.txt"}})
        )
        calls.append(("POST", f"{API}/traces/link-to-run", {"json": {**ids, "trace_ids": []}}))
    refuse(anna, calls)
    assert bert.send("GET", path).text == before


def test_no_file_gets_into_the_run_of_another_account(keepers: Keepers) -> None:
    """MLflow's login looks at `run_id`, and the upload at `run_uuid`."""
    anna, bert = keepers
    mine, other = anna.ids["annas-run"], anna.ids["berts-run"]
    path = f"{API}/artifacts/list?run_id={other}"
    before = bert.send("GET", path).text
    calls: Calls = []
    for ids in ({"run_id": mine, "run_uuid": other}, {"run_id": other, "run_uuid": mine}):
        params = {**ids, "path": "new.txt"}
        calls.append(("POST", "/ajax-api/2.0/mlflow/upload-artifact", {"params": params, "data": "annas"}))
        calls.append(("GET", "/get-artifact", {"params": {**ids, "path": "note.txt"}}))
    assert refuse(anna, calls) > 1
    assert bert.send("GET", path).text == before


def test_what_mlflow_cannot_read_is_refused(keepers: Keepers) -> None:
    """It would search all data sets, as the experiments stand behind what it cannot read."""
    anna = keepers[0]
    mine = [anna.ids["annas-experiment-id"]]
    search = f"{API3}/datasets/search"
    calls: Calls = [
        ("POST", search, {"json": {"pageToken": 5, "experiment_ids": mine}}),
        ("POST", search, {"json": {"max_results": "x", "experiment_ids": mine}}),
        ("POST", search, {"json": {"experimentIds": [], "experiment_ids": mine}}),
        ("POST", search, {"json": {"experiment_ids": mine}, "params": {"experiment_ids": "x"}}),
    ]
    assert refuse(anna, calls) == len(calls)
    assert anna.send("POST", search, json={"experiment_ids": mine}).ok


def test_a_query_and_a_body_differ(keepers: Keepers) -> None:
    """MLflow's login reads the query of a DELETE whose body is text, and its handler reads the body."""
    anna, bert = keepers
    ids = anna.ids
    schema = {"experiment_id": ids["annas-experiment-id"], "name": "annas-schema", "type": "FEEDBACK"}
    schema |= {"instruction": "x", "input": {"text": {"max_length": 9}}}  # type: ignore[dict-item]
    mine = anna.make("label-schemas/create", schema)["label_schema"]["schema_id"]
    scorer = {"experiment_id": ids["annas-experiment-id"], "name": "s", "serialized_scorer": "{}"}
    anna.make("scorers/register", scorer)
    of_bert = {"name": "berts-model", "version": "1", "key": "note", "alias": "champion"}
    deleted: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (f"{API}/registered-models/{last}", {"name": "annas-model"}, of_bert)
        for last in ("delete", "delete-tag", "alias")
    ]
    deleted += [
        (f"{API}/model-versions/{last}", {"name": "annas-model"}, of_bert)
        for last in ("delete", "delete-tag")
    ]
    of_bert = {"experiment_id": ids["berts-experiment-id"], "name": "berts-scorer"}
    scorer.pop("serialized_scorer")
    deleted += [
        (f"{API}/registered-models/delete", {"name": "annas-prompt"}, {"name": "berts-prompt"}),
        (f"{API3}/scorers/delete", scorer, of_bert),
        (f"{API3}/label-schemas/delete", {"schema_id": mine}, {"schema_id": ids["berts-schema"]}),
    ]
    calls: Calls = [
        ("DELETE", path, {"params": query, "data": json.dumps(body), "headers": TEXT})
        for path, query, body in deleted
    ]
    assert refuse(anna, calls) == len(calls)
    model = bert.send("GET", f"{API}/registered-models/get?name=berts-model").json()["registered_model"]
    assert model["latest_versions"] and model["tags"] and model["aliases"]
    for path in (
        "registered-models/get?name=berts-prompt",
        f"label-schemas/get?schema_id={ids['berts-schema']}",
    ):
        assert bert.send("GET", f"{API3 if 'schema' in path else API}/{path}").ok, path
    scorers = bert.send("GET", f"{API3}/scorers/list?experiment_id={ids['berts-experiment-id']}").text
    assert "berts-scorer" in scorers


def test_graphql_shows_nothing_of_others(keepers: Keepers) -> None:
    graphql.check(*keepers)


def test_the_same_value_twice_is_served(keepers: Keepers) -> None:
    """As MLflow's clients send it."""
    anna, same = keepers[0], {"model_id": keepers[0].ids["annas-logged"]}
    path = f"{API}/logged-models/{same['model_id']}"
    assert anna.send("GET", path, params=same).ok
    assert anna.send("PATCH", path, json={**same, **STATUS}).ok
    run = anna.ids["annas-run"]
    metric = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}
    assert anna.send("POST", f"{API}/runs/log-metric", json={"run_id": run, "run_uuid": run, **metric}).ok
    ids = {"experiment_ids": [anna.ids["annas-experiment-id"], "0"]}
    assert anna.send("GET", f"{API}/logged-models/{same['model_id']}", params={"x": ["1", "2"]}).ok
    assert anna.send("POST", f"{API}/runs/search", json=ids).ok


def test_an_artifact_is_no_message(keepers: Keepers) -> None:
    """A file whose content looks like a message arrives as it is."""
    anna, experiment = keepers[0], keepers[0].ids["annas-experiment-id"]
    run = anna.ids["annas-run"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a.json"
    content = b'{"artifact_path": "x", "run_uuid": "x", "path": "y"}'
    headers = {"Content-Type": "application/json"}
    assert anna.send("PUT", path, data=content, headers=headers).ok
    assert anna.send("GET", path).content == content
    query = {"run_uuid": run, "path": "b.json"}
    upload = "/ajax-api/2.0/mlflow/upload-artifact"
    answer = anna.send("POST", upload, params=query, data=content, headers=headers)
    assert answer.ok, answer.text
    assert anna.send("GET", path.replace("a.json", "b.json")).content == content
