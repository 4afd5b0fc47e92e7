"""Searches in an experiment of 50,000 runs follow the chart's indexes and read few rows."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from mlflow.protos.service_pb2 import SearchRuns

from runtime.postgres import Postgres
from runtime.server import FILES

Env = dict[str, str]
RUNS, PAGE = 50_000, 100
NEWEST, BY_VALUE = "mlflow_kubernetes_runs_newest", "mlflow_kubernetes_latest_metrics_value"
COLUMNS = "run_uuid, name, user_id, status, start_time, lifecycle_stage, artifact_uri, experiment_id"
FILL = (
    "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'large', 'active')",
    f"""
    INSERT INTO runs ({COLUMNS})
    SELECT md5(i::text), 'n', 'u', 'FINISHED', 1700000000000 + i * 7919 % {RUNS}, 'active', 's3://b', 1
    FROM generate_series(1, {RUNS}) i""",
    f"""
    INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT 'm', i, 1, 1, false, md5(i::text) FROM generate_series(1, {RUNS}) i""",
    f"""
    INSERT INTO tags (key, value, run_uuid)
    SELECT 't', i % 50, md5(i::text) FROM generate_series(1, {RUNS}) i""",
    f"CREATE INDEX {BY_VALUE} ON latest_metrics (key, value, run_uuid) WHERE NOT is_nan",
    "ANALYZE runs, latest_metrics, tags",
)
PARTS = ("latest_metrics", "params", "tags", "inputs")  # of a run, read for each that is found
Node = dict[str, Any]


@pytest.fixture(scope="module")
def engine(ready_database: Callable[[], Env], postgres: Postgres) -> Iterator[sqlalchemy.Engine]:
    """The engine of a database with many runs."""
    env = ready_database()
    for statement in FILL:
        postgres.query(statement, env["PGDATABASE"])
    place = f"{env['PGHOST']}:{env['PGPORT']}/{env['PGDATABASE']}"
    engine = sqlalchemy.create_engine(f"postgresql+psycopg2://{env['PGUSER']}:{env['PGPASSWORD']}@{place}")
    yield engine
    engine.dispose()


@pytest.fixture
def plans(engine: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Node]]:
    """The plans of the statements that a search runs, as PostgreSQL executed them; it finds a full page."""
    monkeypatch.syspath_prepend(str(FILES))
    from mlflow_kubernetes.server.fast import search_rows

    found: list[Node] = []
    fetch = search_rows.fetch

    def explain(engine: sqlalchemy.Engine, text: str, values: Any) -> list[Any]:
        explained = text.replace("SELECT", "EXPLAIN (ANALYZE, FORMAT JSON) SELECT", 1)
        [([plan],)] = fetch(engine, explained, values)
        found.append(plan["Plan"])
        return list(fetch(engine, text, values))

    def run(**search: Any) -> list[Node]:
        found.clear()
        request = SearchRuns(experiment_ids=["1"], max_results=PAGE, **search)
        rows, _ = search_rows.search_rows(engine, request, ["1"])
        assert len(rows) == PAGE
        return found

    monkeypatch.setattr(search_rows, "fetch", explain)
    return run


def nodes(plan: Node) -> Iterator[Node]:
    """A node and those below it."""
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def rows_read(plans: list[Node]) -> int:
    """Rows that the statements read from tables, also those that a filter then left out."""
    scans = [each for plan in plans for each in nodes(plan) if "Scan" in each["Node Type"]]
    return sum(
        (each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"] for each in scans
    )


def indexes(plans: list[Node]) -> set[str]:
    return {each["Index Name"] for plan in plans for each in nodes(plan) if "Index Name" in each}


@pytest.mark.parametrize(
    ("search", "index", "limit"),
    [
        ({}, NEWEST, 10 * PAGE),
        ({"order_by": ["start_time DESC"]}, NEWEST, 10 * PAGE),
        ({"order_by": ["start_time ASC"]}, NEWEST, 10 * PAGE),
        ({"run_view_type": 3}, NEWEST, 10 * PAGE),
        ({"order_by": ["metrics.m DESC"]}, BY_VALUE, 50 * PAGE),
        ({"filter": "tags.t = '7'"}, NEWEST, 200 * PAGE),
        ({"filter": f"metrics.m > {RUNS - 150}"}, BY_VALUE, 20 * PAGE),
        ({"filter": f"metrics.m > {RUNS // 2}"}, NEWEST, 130 * PAGE),
        ({"filter": "start_time < 1700000030000"}, NEWEST, 10 * PAGE),
    ],
    ids=str,
)
def test_indexes_are_used(
    plans: Callable[..., list[Node]], search: dict[str, Any], index: str, limit: int
) -> None:
    found = plans(**search)
    assert index in indexes(found) and rows_read(found) <= limit


def test_a_deep_page(engine: sqlalchemy.Engine, plans: Callable[..., list[Node]]) -> None:
    """A page token leads to the place, without the runs before it."""
    from mlflow_kubernetes.server.fast.page_token import PageToken

    request = SearchRuns(experiment_ids=["1"], max_results=PAGE)
    with engine.connect() as connection:
        query = f"SELECT start_time, run_uuid FROM runs ORDER BY 1 DESC, 2 OFFSET {RUNS // 2} LIMIT 1"
        start, run = connection.execute(sqlalchemy.text(query)).one()
    token = PageToken(RUNS // 2, (start, run)).write(request)
    assert rows_read(plans(page_token=token)) <= 10 * PAGE
