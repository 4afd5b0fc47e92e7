"""The rows of the benchmark are what MLflow reads: loaded into a real PostgreSQL at a tiny size."""

import contextlib
import json
from collections.abc import Callable

import pytest

from benchmarks.cases import CASES
from benchmarks.cases.case import API, Case, get
from benchmarks.load.ids import SMALL, WRITES, Size, run_id
from benchmarks.load.loader import load_others, load_runs
from benchmarks.slices import send
from runtime.postgres import Postgres
from runtime.server import Server

JSON = {"Content-Type": "application/json"}
TINY = (Size("small", SMALL.experiment_id, 20, points=3), Size("writes", WRITES.experiment_id, 5))
FEW = {"models": 2, "versions": 3, "experiments": 4, "logged_models": 5, "traces": 6}
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"


@pytest.fixture(scope="module")
def loaded(postgres: Postgres, ready_database: Callable[[], dict[str, str]]) -> dict[str, str]:
    """A database that the benchmark has loaded."""
    database = ready_database()
    name = database["PGDATABASE"]
    before = postgres.query(INDEXES, name)
    with contextlib.closing(postgres.connect(name)) as connection:
        load_runs(connection, TINY[:1])
        load_others(connection, **FEW)
        load_runs(connection, TINY[1:])
    assert postgres.query(INDEXES, name) == before
    return database


@pytest.fixture(scope="module")
def url(loaded: dict[str, str], start: Callable[..., Server]) -> str:
    return start(**loaded).ready().url


def test_a_run_has_what_its_size_says(url: str) -> None:
    body = json.loads(send(url, get(f"{API}runs/get", run_id=run_id("small", 20)), JSON))
    data = body["run"]["data"]
    assert body["run"]["info"]["experiment_id"] == str(SMALL.experiment_id)
    assert sorted(each["key"] for each in data["metrics"]) == [f"m{key}" for key in range(10)]
    assert sorted(each["key"] for each in data["params"]) == [f"p{key}" for key in range(10)]
    assert {each["key"] for each in data["tags"]} == {"mlflow.runName", "mlflow.user", "team"}


# Field of the answer, and how many are in it.
FOUND = {
    "search 100 runs": ("runs", 20 + 10),
    "metric history, 1000 points": ("metrics", 1000),
    "bulk history, 10 runs": ("metrics", 10 * 320),
    "registered models": ("registered_models", 2),
    "versions of a model": ("model_versions", 3),
    "experiments": ("experiments", 7),
    "logged models": ("models", 5),
    "traces": ("traces", 6),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}, {case.runs} runs")
def test_every_call_is_answered(url: str, case: Case) -> None:
    answer = send(url, case.requests()[0], case.headers)
    if case.name in FOUND:
        field, count = FOUND[case.name]
        assert len(json.loads(answer)[field]) == count
