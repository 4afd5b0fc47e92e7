"""Calls that read, good ones and bad ones, one function for each family."""

import itertools
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from runtime.read_data import API, API_3, Data

AJAX = "/ajax-api/2.0/mlflow"
AJAX_3 = "/ajax-api/3.0/mlflow"
TOKENS = [json.dumps({"offset": number}) for number in (0, 1, 3, 1000, -1)] + ['{"offset": 1.5}', "[]"]
Call = tuple[str, str, Any]


def pages(data: Data, path: str, filters: list[str], orders: list[Any], count: int) -> Iterator[Call]:
    """Yield a search for each filter and each order, and random mixtures."""
    choice, chance = data.chance.choice, data.chance.random
    every = [(each, []) for each in filters] + [("", each) for each in orders]
    mixed = ((choice(filters), choice(orders)) for _ in range(count))
    for text, order in itertools.chain(every, mixed):
        query: dict[str, Any] = {
            "max_results": choice([1, 2, 3, 100]) if chance() < 0.9 else choice([0, -1, "x"])
        }
        query |= {"filter": text} if text else {}
        query |= {"order_by": order} if order else {}
        if chance() < 0.3:
            query["page_token"] = b64encode(choice(TOKENS).encode()).decode() if chance() < 0.9 else "x"
        yield "GET", path, query


def histories(data: Data) -> Iterator[Call]:
    """Yield calls for histories."""
    runs, chance = [*data.runs, "0" * 32, ""], data.chance
    for run, key in itertools.product(runs, ["loss", "ключ/a", "nope", "", "a\x00b"]):
        yield "GET", f"{API}/metrics/get-history", {"run_id": run, "metric_key": key}
    for size, token in itertools.product([1, 3, 39, 40, 41, 0, -1, "x"], ["", *TOKENS]):
        query = {"run_id": chance.choice(data.runs), "metric_key": "loss", "max_results": size}
        yield "GET", f"{API}/metrics/get-history", query | {"page_token": b64encode(token.encode()).decode()}
    for size in [None, 1, 2, 3, 5, 39, 40, 41, 2500, 2501, 25001, 0, -1, "x"]:
        for runs in (chance.sample(data.runs, 3), data.runs * 2, [*data.runs, "nope"], [], ["x"] * 101):
            query = {"metric_key": "loss", "run_id": runs, "max_results": size}
            yield "GET", f"{AJAX}/metrics/get-history-bulk", query
            steps = chance.choice([{}, {"start_step": -3, "end_step": 9}, {"start_step": 5, "end_step": 5}])
            odd = chance.choice([{"start_step": 1}, {"start_step": 3, "end_step": 1}, {"end_step": 2**70}])
            query = {"metric_key": "loss", "run_ids": runs, "max_results": size}
            query |= steps if chance.random() < 0.9 else odd
            yield "GET", f"{chance.choice([API, AJAX])}/metrics/get-history-bulk-interval", query


def experiments(data: Data) -> Iterator[Call]:
    """Yield calls for experiments."""
    for number in [*data.experiments, "0", "999", "x", "", "00", "\u0660", "99999999999", None]:
        yield "GET", f"{API}/experiments/get", {"experiment_id": number}
    for name in ["alpha/0", "50% off/3", "a'b/4", "nope", "", "a\x00b", None]:
        yield "GET", f"{API}/experiments/get-by-name", {"experiment_name": name}
    filters = ["name = 'alpha/0'", "name LIKE '50%%'", "name ILIKE 'ALPHA%' AND tags.team = 'v'"]
    filters += ["tags.`стадия` != ''", "tags.team IS NULL", "tags.team IS NOT NULL", "creation_time > 5"]
    filters += ["experiment_id = '2'", "experiment_id IN ('1', '2')", "experiment_id > '2'", "name", "x = 1"]
    filters += ["last_update_time < 'x'", "tags.team = '100 %'", "name LIKE '%s%'", "params.a = 'b'"]
    orders = [["name"], ["creation_time DESC", "name ASC"], ["experiment_id"], ["nope"], ["name UP"]]
    for method, path, query in pages(data, f"{API}/experiments/search", filters, orders, 40):
        view = data.chance.choice([{}, {"view_type": "ALL"}, {"view_type": "DELETED_ONLY"}, {"view_type": 9}])
        yield method, path, query | view
        yield "POST", path, query | view


def registry(data: Data) -> Iterator[Call]:
    """Yield calls for registered models and their versions."""
    for name in [*data.models, "nope", "", "a\x00b", "x/y", None]:
        yield "GET", f"{API}/registered-models/get", {"name": name}
        for version in ("1", "3", "99", "0", "-1", "x", "1.5", "", str(2**40)):
            yield "GET", f"{API}/model-versions/get", {"name": name, "version": version}
        for alias in ("champion", "alias-2", "nope", "latest", "LATEST", "v1", "", "a b"):
            yield "GET", f"{API}/registered-models/alias", {"name": name, "alias": alias}
    filters = [
        *MODEL_FILTERS,
        "name IN ('alpha 0', 'Δ 1')",
        "name IN ()",
        "name LIKE 'a%' AND name != 'alpha 1'",
    ]
    orders = [["name DESC"], ["last_updated_timestamp"], ["timestamp DESC", "name"], ["name", "name"], ["x"]]
    yield from pages(data, f"{API}/registered-models/search", filters, orders, 60)
    run = data.runs[0]
    filters = [*MODEL_FILTERS, f"run_id = '{run}'", f"run_id IN ('{run}', 'x')", "version_number > 2"]
    filters += [
        "source_path = 's3://b/m'",
        "source_path LIKE '%m'",
        "version_number = 'x'",
        "creation_time > 1",
    ]
    orders = [["version_number"], ["name DESC", "version_number ASC"], ["creation_timestamp"], ["x"]]
    orders += [["last_updated_timestamp ASC"], ["name", "name DESC"]]
    yield from pages(data, f"{API}/model-versions/search", filters, orders, 60)


def logged_models(data: Data) -> Iterator[Call]:
    """Yield calls for logged models."""
    choice = data.chance.choice
    for model, deleted in itertools.product([*data.logged, "nope", "a%00b"], [None, "true", "x"]):
        yield "GET", f"{API}/logged-models/{model}", {"allow_deleted": deleted}
    filters = [*LOGGED_FILTERS, f"model_id = '{data.logged[0]}'"]
    sets: list[Any] = [
        [],
        [],
        [],
        [{"dataset_name": "d"}],
        [{"dataset_name": "d", "dataset_digest": "1"}],
        [{}],
    ]
    for text, order in [*itertools.product(filters, LOGGED_ORDERS), *[("", [])] * 20]:
        body = {"experiment_ids": choice([data.experiments[:2], data.experiments[:1], ["x"], []])}
        body |= {
            "filter": text,
            "order_by": order,
            "datasets": choice(sets),
            "max_results": choice([0, 1, 3, 50]),
        }
        if data.chance.random() < 0.3:
            token = choice(["x", "", json.dumps({"experiment_ids": body["experiment_ids"], "offset": 2})])
            body["page_token"] = b64encode(token.encode()).decode()
        yield "POST", f"{API}/logged-models/search", body


def traces(data: Data) -> Iterator[Call]:
    """Yield calls for traces."""
    choice, chance = data.chance.choice, data.chance.random
    for trace in [*data.traces, "tr-nope", "a%00b", "x" * 60]:
        yield "GET", f"{API_3}/traces/{trace}", {}
    filters = [*TRACE_FILTERS, f"request_metadata.`mlflow.sourceRun` = '{data.runs[0]}'"]
    places = [data.experiments[:2], data.experiments[:1], ["x"], ["1.5"], ["9" * 20], []]
    every = [(text, order) for text in filters for order in ([], choice(TRACE_ORDERS))]
    for text, order in [*every, *(("", each) for each in TRACE_ORDERS), *[("", [])] * 30]:
        found = places[0] if chance() < 0.7 else choice(places)
        locations = [
            {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": each}} for each in found
        ]
        body: dict[str, Any] = {"locations": locations, "filter": text, "order_by": order}
        body["max_results"] = choice([1, 2, 5, 14, 500]) if chance() < 0.9 else choice([0, -1, 501, "x"])
        if chance() < 0.3:
            body["page_token"] = b64encode(choice(TOKENS).encode()).decode() if chance() < 0.9 else "x"
        yield "POST", f"{choice([API_3, AJAX_3])}/traces/search", body


TRACE_FILTERS = [
    "status = 'OK'",
    "status != 'OK' AND timestamp_ms > 1767300000000",
    "execution_time_ms >= 500",
    "end_time_ms > 5",
    "name = 'n1'",
    "name ILIKE 'N%' AND tags.team != ''",
    "name RLIKE 'n[01]'",
    "tags.team = 'v'",
    "tags.`стадия` LIKE '%e%'",
    "tags.team = '100 %' OR name = 'n1'",
    "tags.team IS NULL",
    "tags.nope IS NOT NULL",
    "metadata.`mlflow.trace.session` = 's1'",
    "metadata.`mlflow.trace.tokenUsage` LIKE '%3%'",
    "metadata.long IS NOT NULL",
    "client_request_id = 'c4'",
    "trace.text LIKE '%a%'",
    "span.name = 'x'",
    "feedback.good = 'yes'",
    "feedback.score > 0.2",
    "feedback.good IS NULL",
    "prompt = 'a/1'",
    "timestamp = 'x'",
    "name",
    "x = 1",
    "status > 'OK'",
]
TRACE_ORDERS: list[list[str]] = [
    ["timestamp_ms"],
    ["timestamp DESC", "execution_time_ms"],
    ["execution_time_ms DESC"],
    ["tags.team", "status DESC"],
    ["tags.`mlflow.traceName` DESC"],
    ["metadata.`mlflow.trace.session`"],
    ["metadata.long ASC", "tags.team DESC"],
    ["status", "status"],
    ["nope"],
    ["metadata.`mlflow.trace.cost`"],
]
LOGGED_FILTERS = [
    "",
    "name = 'm1'",
    "name LIKE 'm%' AND params.team = 'v'",
    "tags.team != ''",
    "metrics.acc > 0",
    "metrics.`a/b` <= 1e300 AND metrics.acc < 5",
    "creation_timestamp > 5",
    "status = 'READY'",
    "name IN ('m1', 'm2')",
    "x",
    "tags.team > 'v'",
    "model_type = ''",
]
LOGGED_ORDERS: list[list[dict[str, Any]]] = [
    [],
    [{"field_name": "metrics.acc"}],
    [{"field_name": "name", "ascending": False}],
    [{"field_name": "metrics.acc", "ascending": False, "dataset_name": "d", "dataset_digest": "1"}],
    [{"field_name": "creation_time"}],
    [{"field_name": "nope"}],
    [{"field_name": "params.a"}],
]
MODEL_FILTERS = [
    "name = 'alpha 0'",
    "name LIKE '50%%'",
    "name ILIKE 'ALPHA%'",
    "name = 'nope'",
    "name",
    "x = 1",
    "name > 'a'",
    "tags.team = 'v'",
    "tags.team != ''",
    "tags.`стадия` LIKE '%e%'",
    "tags.team = 'v' AND tags.`a b` ILIKE 'V'",
    "tags.team != 'v' AND tags.team != ''",
    "tags.`mlflow.prompt.is_prompt` = 'true'",
    "tags.`mlflow.prompt.is_prompt` != 'false' AND tags.team = 'v'",
    "tags.`mlflow.prompt.is_prompt` = 'false'",
    "tags.`mlflow.prompt.is_prompt` != 'true'",
    "tags.team IS NULL",
    "tags.team > 'v'",
]
FAMILIES = {
    "histories": histories,
    "experiments": experiments,
    "registry": registry,
    "logged_models": logged_models,
    "traces": traces,
}
