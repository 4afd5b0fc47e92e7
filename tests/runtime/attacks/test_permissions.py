"""An account starts no background job on what another account keeps, and writes nothing through its roles.

Jobs run without an account, so the server has to check what they name.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.attacks.logins import LAUNCHERS, SETTINGS
from runtime.basic_auth import ADMIN
from runtime.belongings import MARK, Keeper, keep
from runtime.jobs import JOBS
from runtime.server import Server
from runtime.test_two_accounts import GATEWAY

OPTIMIZE = "/api/3.0/mlflow/prompt-optimization/jobs"
GRANT = "/api/3.0/mlflow/users/permissions/grant"
ANY_JOB = "/ajax-api/3.0/jobs"
JSON = {"Content-Type": "application/json"}
Keepers = tuple[Keeper, Keeper]


@pytest.fixture(scope="module", params=LAUNCHERS)
def keepers(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Keepers:
    """Anna and bert, each with a data set of their own, and one of both experiments."""
    settings = {**SETTINGS, **GATEWAY, **JOBS, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS"}
    anna, bert = keep(start(**settings, MLFLOW_KUBERNETES_LAUNCHER=request.param).ready())
    both = [anna.ids[f"{name}-experiment-id"] for name in ("annas", "berts")]
    anna.ids["annas-dataset"] = data_set(anna, "data", both[0])
    anna.ids["of both"] = data_set(Keeper(anna.url, ADMIN), "of both", *both)
    return anna, bert


def data_set(keeper: Keeper, name: str, *experiments: str) -> str:
    """Make a data set of these experiments; its id."""
    made = keeper.make("datasets/create", {"name": name, "experiment_ids": experiments})
    return str(made["dataset"]["dataset_id"])


def optimization(name: str, ids: dict[str, str], **config: Any) -> dict[str, Any]:
    """The body of a prompt optimization of an account's prompt, in its experiment."""
    body = {"experiment_id": ids[f"{name}-experiment-id"], "source_prompt_uri": f"prompts:/{name}-prompt/1"}
    return {**body, "config": {"optimizer_type": "OPTIMIZER_TYPE_GEPA", **config}}


def runs(keeper: Keeper, name: str) -> list[Any]:
    """The runs of an account's experiment that optimize prompts."""
    body = {"experiment_ids": [keeper.ids[f"{name}-experiment-id"]], "filter": "params.dataset_id != 'x'"}
    found: list[Any] = keeper.make("runs/search", body).get("runs", [])
    return found


def test_the_data_set_of_another_account_is_denied(keepers: Keepers) -> None:
    """However it is named, and no run has its name."""
    anna, ids = keepers[0], keepers[0].ids
    others = ids["berts-dataset"]
    plain = optimization("annas", ids, dataset_id=others)
    bodies: list[dict[str, Any]] = [
        {"json": plain},
        {"json": optimization("annas", ids, datasetId=others)},
        {"json": json.dumps(plain)},
        {"data": json.dumps(plain).encode("utf-16"), "headers": JSON},
        {"data": json.dumps(plain), "headers": {"Content-Type": "application/json; charset=latin-1"}},
        {"data": f'{{"config": {{}}, {json.dumps(plain)[1:]}', "headers": JSON},
        {"json": {**plain, "tags": [{"key": 1, "nothing": []}]}},
        {"json": {**plain, "tags": 5}},
        {"json": optimization("annas", ids, dataset_id=ids["of both"])},
        {"json": optimization("annas", ids, dataset_id="d-nothing")},
    ]
    for path in (OPTIMIZE, OPTIMIZE.replace("/api/", "/ajax-api/")):
        for body in bodies:
            answer = anna.send("POST", path, **body)
            assert answer.status_code == 403, (body, answer.status_code, answer.text)
    assert runs(anna, "annas") == []


def test_the_prompt_and_the_endpoint_of_another_account_are_denied(keepers: Keepers) -> None:
    """A job would read the prompt, write a version of it, and send texts to the endpoint."""
    anna, ids = keepers[0], keepers[0].ids
    uris = [
        "prompts:/berts-prompt/1",
        "prompts:/berts-prompt@champion",
        "berts-prompt",
        "prompts:/nothing/1",
        "",
    ]
    bodies = [{**optimization("annas", ids), "source_prompt_uri": uri} for uri in uris]
    config = {"optimizer_config_json": json.dumps({"reflection_model": "gateway:/berts-endpoint"})}
    bodies.append(optimization("annas", ids, **config))
    for body in bodies:
        assert anna.send("POST", OPTIMIZE, json=body).status_code == 403, body
    issues: dict[str, Any] = {"experiment_id": ids["annas-experiment-id"], "trace_ids": ["tr-1"]}
    issues |= {"categories": ["x"], "provider": "openai", "endpoint_name": "berts-endpoint"}
    assert anna.send("POST", "/ajax-api/3.0/mlflow/issues/invoke", json=issues).status_code == 403


def test_what_an_account_may_read_is_served(keepers: Keepers) -> None:
    """Its own data set, none, and that of an experiment which it may read."""
    bert, ids = keepers[1], keepers[1].ids
    for config in ({"dataset_id": ids["berts-dataset"]}, {}, {"dataset_id": ""}):
        answer = bert.send("POST", OPTIMIZE, json=optimization("berts", ids, **config))
        assert answer.ok, answer.text
    (used,) = [run["inputs"]["dataset_inputs"] for run in runs(bert, "berts") if run.get("inputs")]
    assert MARK in used[0]["dataset"]["name"]
    grant = {"username": "bert", "resource_type": "experiment", "permission": "READ"}
    grant["resource_id"] = ids["annas-experiment-id"]
    granted = requests.post(f"{bert.url}{GRANT}", json=grant, auth=ADMIN, timeout=60)
    assert granted.ok, granted.text
    for name in ("annas-dataset", "of both"):
        answer = bert.send("POST", OPTIMIZE, json=optimization("berts", ids, dataset_id=ids[name]))
        assert answer.ok, answer.text


def test_an_endpoint_writes_to_no_experiment_of_another_account(keepers: Keepers) -> None:
    """Each call of an endpoint is a trace in its experiment."""
    anna, ids = keepers[0], keepers[0].ids
    provider = {"provider": "openai", "created_by": "anna"}
    secret = {"secret_name": "annas-secret", "secret_value": {"api_key": "x"}}
    made = anna.make("gateway/secrets/create", {**provider, **secret})
    model = {"name": "annas-definition", "secret_id": made["secret"]["secret_id"], "model_name": "x"}
    made = anna.make("gateway/model-definitions/create", {**provider, **model})
    definition = made["model_definition"]["model_definition_id"]
    config = {"model_definition_id": definition, "linkage_type": "PRIMARY", "weight": 1}
    endpoint = {"name": "annas-endpoint", "model_configs": [config], "usage_tracking": True}
    path, other = "/api/3.0/mlflow/gateway/endpoints", {"experiment_id": ids["berts-experiment-id"]}
    assert anna.send("POST", f"{path}/create", json={**endpoint, **other}).status_code == 403
    own = {"experiment_id": ids["annas-experiment-id"]}
    made = anna.make("gateway/endpoints/create", {**endpoint, **own})
    body = {"endpoint_id": made["endpoint"]["endpoint_id"]}
    assert anna.send("POST", f"{path}/update", json={**body, **other}).status_code == 403
    assert anna.send("POST", f"{path}/update", json={**body, **own}).ok
    assert anna.send("POST", f"{path}/create", json={**endpoint, "name": "another"}).ok, (
        "without an experiment"
    )


def test_a_provider_that_is_down_is_no_artifact_store(keepers: Keepers) -> None:
    """The answer names no part of MLflow that works."""
    body = {"messages": [{"role": "user", "content": "x"}]}
    answer = keepers[1].send("POST", "/gateway/berts-endpoint/mlflow/invocations", json=body)
    assert answer.status_code >= 500 and "artifact" not in answer.text, answer.text


def test_only_an_administrator_names_any_job(keepers: Keepers) -> None:
    """MLflow's own clients start jobs at other routes."""
    anna, bert = keepers
    params = {"experiment_id": bert.ids["berts-experiment-id"], "serialized_scorer": "{}"}
    params["trace_ids"] = [bert.ids["berts-trace"]]  # type: ignore[assignment]
    body = {"job_name": "invoke_scorer", "params": params}
    for path in ("", "/", "//", "/?x=/search", "/./", "/search/..%2f", "/%73earch/.."):
        answer = anna.send("POST", f"{ANY_JOB}{path}", json=body, allow_redirects=True)
        assert answer.status_code in (403, 404), (path, answer.status_code, answer.text)
    assert anna.send("POST", f"{ANY_JOB}/", json=body).status_code == 403
    made = requests.post(f"{anna.url}{ANY_JOB}/", json=body, auth=ADMIN, timeout=60)
    assert made.ok, made.text
    assert anna.send("POST", f"{ANY_JOB}/search", json={}).json() == {"jobs": []}
    assert anna.send("GET", f"{ANY_JOB}/{made.json()['job_id']}").status_code == 403
