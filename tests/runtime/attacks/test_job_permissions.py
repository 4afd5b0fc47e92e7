"""An account starts no background job that reads what another account keeps. Jobs run without an account."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.attacks.logins import LAUNCHERS, SETTINGS, add_account
from runtime.basic_auth import ADMIN
from runtime.belongings import ANNA, BERT, Keeper
from runtime.jobs import JOBS
from runtime.server import Server

OPTIMIZE = "/api/3.0/mlflow/prompt-optimization/jobs"
GRANT = "/api/3.0/mlflow/users/permissions/grant"
ANY_JOB = "/ajax-api/3.0/jobs"
JSON = {"Content-Type": "application/json"}
Keepers = tuple[Keeper, Keeper]


@pytest.fixture(scope="module", params=LAUNCHERS)
def keepers(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Keepers:
    """Anna and bert, each with an experiment, a data set, a data set of both experiments, and a prompt."""
    settings = {**SETTINGS, **JOBS, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS"}
    server = start(**settings, MLFLOW_KUBERNETES_LAUNCHER=request.param).ready()
    for account in (ANNA, BERT):
        add_account(server, *account)
    admin, anna, bert = (Keeper(server.url, account) for account in (ADMIN, ANNA, BERT))
    for keeper, name in ((anna, "anna"), (bert, "bert")):
        keeper.ids = keeper.make("experiments/create", {"name": f"of {name}"})
        keeper.ids["data set"] = data_set(keeper, "data", keeper.ids["experiment_id"])
    both = [keeper.ids["experiment_id"] for keeper in (anna, bert)]
    anna.ids["of both"] = data_set(admin, "of both", *both)
    return anna, bert


def data_set(keeper: Keeper, name: str, *experiments: str) -> str:
    """Make a data set of these experiments; its id."""
    made = keeper.make("datasets/create", {"name": name, "experiment_ids": experiments})
    return str(made["dataset"]["dataset_id"])


def optimization(keeper: Keeper, **config: Any) -> dict[str, Any]:
    """The body of a prompt optimization in the account's experiment."""
    config = {"optimizer_type": "OPTIMIZER_TYPE_GEPA", **config}
    experiment = keeper.ids["experiment_id"]
    return {"experiment_id": experiment, "source_prompt_uri": "prompts:/p/1", "config": config}


def runs(keeper: Keeper) -> list[Any]:
    """The runs of the account's experiment."""
    body = {"experiment_ids": [keeper.ids["experiment_id"]]}
    found: list[Any] = keeper.make("runs/search", body).get("runs", [])
    return found


def test_the_data_set_of_another_account_is_denied(keepers: Keepers) -> None:
    """However it is named, and no run has its name."""
    anna, bert = keepers
    others = bert.ids["data set"]
    plain = optimization(anna, dataset_id=others)
    bodies: list[dict[str, Any]] = [
        {"json": plain},
        {"json": optimization(anna, datasetId=others)},
        {"json": json.dumps(plain)},
        {"data": json.dumps(plain).encode("utf-16"), "headers": JSON},
        {"data": json.dumps(plain), "headers": {"Content-Type": "application/json; charset=latin-1"}},
        {"data": f'{{"config": {{}}, {json.dumps(plain)[1:]}', "headers": JSON},
        {"json": {**plain, "tags": [{"key": 1, "nothing": []}]}},
        {"json": {**plain, "tags": 5}},
        {"json": plain, "params": {"dataset_id": anna.ids["data set"]}},
        {"json": optimization(anna, dataset_id=anna.ids["of both"])},
        {"json": optimization(anna, dataset_id="d-nothing")},
    ]
    for path in (OPTIMIZE, OPTIMIZE.replace("/api/", "/ajax-api/")):
        for body in bodies:
            answer = anna.send("POST", path, **body)
            assert answer.status_code == 403, (body, answer.status_code, answer.text)
    assert runs(anna) == []


def test_what_an_account_may_read_is_served(keepers: Keepers) -> None:
    """Its own data set, none, and that of an experiment which it may read."""
    anna, bert = keepers
    for config in ({"dataset_id": bert.ids["data set"]}, {}, {"dataset_id": ""}):
        answer = bert.send("POST", OPTIMIZE, json=optimization(bert, **config))
        assert answer.ok, answer.text
    (used,) = [run["inputs"]["dataset_inputs"] for run in runs(bert) if run["inputs"].get("dataset_inputs")]
    assert used[0]["dataset"]["name"] == "data"
    grant = {"username": "bert", "resource_type": "experiment", "permission": "READ"}
    grant["resource_id"] = anna.ids["experiment_id"]
    granted = requests.post(f"{anna.url}{GRANT}", json=grant, auth=ADMIN, timeout=60)
    assert granted.ok, granted.text
    for name in ("data set", "of both"):
        answer = bert.send("POST", OPTIMIZE, json=optimization(bert, dataset_id=anna.ids[name]))
        assert answer.ok, answer.text


def test_only_an_administrator_names_any_job(keepers: Keepers) -> None:
    """MLflow's own clients start jobs at other routes."""
    anna, bert = keepers
    params = {"experiment_id": bert.ids["experiment_id"], "trace_ids": ["tr-1"], "serialized_scorer": "{}"}
    body = {"job_name": "invoke_scorer", "params": params}
    for path in ("", "/", "//", "/?x=/search", "/./", "/search/..%2f", "/%73earch/.."):
        answer = anna.send("POST", f"{ANY_JOB}{path}", json=body, allow_redirects=True)
        assert answer.status_code in (403, 404), (path, answer.status_code, answer.text)
    assert anna.send("POST", f"{ANY_JOB}/", json=body).status_code == 403
    made = requests.post(f"{anna.url}{ANY_JOB}/", json=body, auth=ADMIN, timeout=60)
    assert made.ok, made.text
    assert anna.send("POST", f"{ANY_JOB}/search", json={}).json() == {"jobs": []}
    assert anna.send("GET", f"{ANY_JOB}/{made.json()['job_id']}").status_code == 403
