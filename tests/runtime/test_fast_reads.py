"""The fast paths that read answer what MLflow's own code does, on the same database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from runtime.basic_auth import ADMIN
from runtime.basic_auth import settings as login
from runtime.fallbacks import fallbacks
from runtime.postgres import Postgres
from runtime.read_calls import AJAX, FAMILIES, Call
from runtime.read_data import API, API_3, Data
from runtime.server import Server

Env = dict[str, str]
# MLflow leaves the order of these to the database.
UNORDERED = {"tags", "params", "aliases", "latest_versions", "trace_metadata", "assessments"}


@pytest.fixture(scope="module")
def own_database(ready_database: Callable[[], Env]) -> Env:
    """The database of all servers here."""
    return ready_database()


@pytest.fixture(scope="module")
def fast(start: Callable[..., Server], own_database: Env) -> Server:
    """A server with fast paths and metrics."""
    env = {"MLFLOW_EXPOSE_PROMETHEUS": "metrics", "PYTHONHASHSEED": "0"}
    return start(MLFLOW_KUBERNETES_LAUNCHER="direct", **env, **own_database).ready()


@pytest.fixture(scope="module")
def plain(start: Callable[..., Server], own_database: Env) -> Server:
    """A server without fast paths."""
    env = {"MLFLOW_KUBERNETES_FAST_PATHS": "false", "PYTHONHASHSEED": "0"}
    return start(MLFLOW_KUBERNETES_LAUNCHER="direct", **env, **own_database).ready()


@pytest.fixture(scope="module")
def data(fast: Server) -> Data:
    """What is read."""
    return Data(fast.url, 1).make()


def send(server: Server, call: Call, **more: Any) -> requests.Response:
    method, path, body = call
    content = {"params": body} if method == "GET" else {"json": body}
    return requests.request(method, server.url + path, timeout=120, **content, **more)


def canonical(text: str, name: str = "") -> Any:
    """Return an answer without the order that MLflow leaves to the database."""

    def ordered(value: Any, within: str) -> Any:
        if isinstance(value, dict):
            pairs = [[key, ordered(each, key)] for key, each in value.items()]
            return sorted(pairs) if within in UNORDERED else pairs
        if isinstance(value, list):
            found = [ordered(each, "") for each in value]
            return sorted(found, key=repr) if within in UNORDERED or within == name else found
        return value

    try:
        return ordered(json.loads(text), "")
    except ValueError:
        return text


@pytest.mark.parametrize("family", FAMILIES)
def test_same_answers(fast: Server, plain: Server, data: Data, family: str) -> None:
    """For good calls and bad ones; in the same bytes, but for the order."""
    name = "metrics" if family == "logged_models" else ""
    found, good = [], 0
    for call in FAMILIES[family](data):
        ours, theirs = send(fast, call), send(plain, call)
        same = canonical(ours.text, name) == canonical(theirs.text, name)
        same &= ours.status_code == theirs.status_code and len(ours.content) == len(theirs.content)
        if not same or ours.headers["Content-Type"] != theirs.headers["Content-Type"]:
            found.append(
                f"{call}:\n{theirs.status_code} {theirs.text[:600]}\n{ours.status_code} {ours.text[:600]}"
            )
        good += ours.ok
    assert not found, "\n\n".join(found[:5])
    assert good > 20, "too few calls are good"


def usual(data: Data) -> list[Call]:
    """One call of each fast path, and more of the searches."""
    run, name = {"run_id": data.runs[0], "metric_key": "loss"}, data.models[0]
    tags = "tags.team != '' AND name LIKE '%a%'"
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": data.experiments[0]}}
    traces = {"locations": [place], "max_results": 2}
    named = {"filter": "name LIKE 'n%' AND tags.team != 'x'", "order_by": ["execution_time_ms DESC"]}
    return [
        ("GET", f"{API}/metrics/get-history", run | {"max_results": 2}),
        ("GET", f"{AJAX}/metrics/get-history-bulk", run),
        ("GET", f"{AJAX}/metrics/get-history-bulk-interval", {"run_ids": data.runs, "metric_key": "loss"}),
        ("GET", f"{API}/experiments/get", {"experiment_id": data.experiments[0]}),
        ("GET", f"{API}/experiments/get-by-name", {"experiment_name": "alpha/0"}),
        ("POST", f"{API}/experiments/search", {"max_results": 2, "filter": tags, "order_by": ["name"]}),
        ("GET", f"{API}/registered-models/get", {"name": name}),
        ("GET", f"{API}/registered-models/search", {"max_results": 2, "filter": tags, "order_by": "name"}),
        ("GET", f"{API}/registered-models/alias", {"name": name, "alias": "champion"}),
        ("GET", f"{API}/model-versions/get", {"name": name, "version": "1"}),
        ("GET", f"{API}/model-versions/search", {"max_results": 2, "filter": tags, "order_by": "name"}),
        ("GET", f"{API}/logged-models/{data.logged[0]}", {}),
        ("POST", f"{API}/logged-models/search", {"experiment_ids": data.experiments[:1], "max_results": 2}),
        ("GET", f"{API_3}/traces/{data.traces[2]}", {}),
        ("POST", f"{API_3}/traces/search", traces),
        ("POST", f"{API_3}/traces/search", traces | named),
    ]


def test_usual_calls_are_fast(fast: Server, data: Data) -> None:
    """Without this, the test above would pass with everything left to MLflow."""
    calls, before = usual(data), fallbacks(fast)
    for call in calls:
        answer = send(fast, call)
        assert answer.ok and answer.text != "{}", (call, answer.text)
    assert fallbacks(fast) == before
    send(fast, ("GET", f"{API}/registered-models/get", {"name": "nope"}))
    assert sum(fallbacks(fast).values()) == sum(before.values()) + 1, "the counter counts"


ODD_ROWS = (
    "UPDATE experiments SET artifact_location = NULL WHERE name = 'alpha/0'",
    "UPDATE experiments SET creation_time = 0, last_update_time = NULL WHERE name = 'alpha/0'",
    "UPDATE experiment_tags SET value = NULL",
    "UPDATE registered_models SET last_updated_time = 0, description = NULL WHERE name = 'alpha 0'",
    "UPDATE registered_model_tags SET value = NULL",
    "UPDATE model_version_tags SET value = NULL",
    "UPDATE model_versions SET status = NULL, last_updated_time = NULL WHERE name = 'alpha 0'",
    "UPDATE model_versions SET status = 'x' WHERE name = 'alpha 0'",
    "UPDATE model_versions SET creation_time = NULL WHERE name = 'alpha 0'",
    "UPDATE logged_models SET status_message = 'x', source_run_id = NULL, model_type = NULL",
    "UPDATE logged_model_metrics SET metric_value = 'NaN'",
    "UPDATE logged_model_metrics SET metric_value = NULL",
    "UPDATE logged_models SET status = 9",
    "UPDATE trace_tags SET value = NULL",
    "UPDATE trace_request_metadata SET value = NULL",
    "UPDATE trace_tags SET value = repeat('x', 5000)",
    "UPDATE trace_info SET execution_time_ms = 0, timestamp_ms = 0, trace_name = NULL, session_id = NULL",
    "UPDATE trace_info SET input_cost = 'NaN', output_cost = 1e300, input_tokens = NULL",
    "UPDATE trace_info SET execution_time_ms = -1",
    "UPDATE trace_info SET timestamp_ms = 1e15",
    "UPDATE trace_info SET status = 'x'",
)


def test_odd_rows(fast: Server, plain: Server, data: Data, own_database: Env, postgres: Postgres) -> None:
    """As other versions of MLflow or a copy of a database may have left them. The last test of this data."""
    calls = [call for call in usual(data) if "history" not in call[1]]
    for statement in ODD_ROWS:
        postgres.query(statement, own_database["PGDATABASE"])
        for call in calls:
            ours, theirs = send(fast, call), send(plain, call)
            assert (ours.status_code, canonical(ours.text, "metrics")) == (
                theirs.status_code,
                canonical(theirs.text, "metrics"),
            ), (statement, call)


def test_permissions_come_first(
    start: Callable[..., Server], ready_database: Callable[[], Env], tmp_path: Path
) -> None:
    """MLflow's basic-auth asks before each path, and filters what a search may show."""
    server = start(
        MLFLOW_KUBERNETES_LAUNCHER="direct",
        MLFLOW_KUBERNETES_APP_NAME="basic-auth",
        **login(tmp_path, "NO_PERMISSIONS"),
        **ready_database(),
    ).ready()
    data = Data(server.url, 2)
    data.session.auth = ADMIN
    data.make()
    bob = ("bob", "a long password of bob")
    data.post("/users/create", {"username": bob[0], "password": bob[1]})
    for call in usual(data):
        assert send(server, call).status_code == 401, call
        assert send(server, call, auth=ADMIN).text != "{}", call
        answer = send(server, call, auth=bob)
        if "search" in call[1] and "/traces/" not in call[1]:
            assert not answer.json().keys() - {"next_page_token"}, (call, answer.text)
        else:
            assert answer.status_code == 403, (call, answer.text)
