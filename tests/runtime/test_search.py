"""Pages of searches for runs: the fast paths against MLflow's own store, on one database."""

import itertools
import random
from base64 import b64decode
from collections.abc import Callable, Iterator
from json import loads
from typing import Any

import pytest
import sqlalchemy
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.service_pb2 import SearchRuns
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sweep import sweep

from runtime.pooler import pgbouncer
from runtime.postgres import Postgres
from runtime.server import FILES

Env = dict[str, str]
METRICS_INDEX = (
    "mlflow_kubernetes_latest_metrics_value ON latest_metrics (key, value, run_uuid) WHERE NOT is_nan"
)
RUNS = 120
EXPERIMENT = "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
COLUMNS = (
    "run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id"
)
# Ties in start_time, NULL in experiment 3, deleted runs, NaN, infinities, and runs without a value.
FILL = (
    f"{EXPERIMENT} SELECT i, 'e' || i, 's3://b/' || i, 'active' FROM generate_series(1, 3) i",
    f"""
    INSERT INTO runs ({COLUMNS})
    SELECT md5(i::text), 'run-' || i % 3, 'u', CASE WHEN i % 4 = 0 THEN 'FAILED' ELSE 'FINISHED' END,
           CASE WHEN i % 13 > 0 OR i % 11 < 8 THEN 1700000000000 + i / 7 END, NULLIF(i % 9, 0),
           CASE WHEN i % 5 = 0 THEN 'deleted' ELSE 'active' END, 's3://b/' || i, 1 + i % 11 / 4
    FROM generate_series(1, <runs>) i""",
    """
    INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT 'm',
           CASE i % 8 WHEN 0 THEN 'Infinity' WHEN 1 THEN '-Infinity' WHEN 2 THEN 0 ELSE (i % 6)::float8 END,
           1, 1, i % 8 = 2, md5(i::text)
    FROM generate_series(1, <runs>) i WHERE i % 3 > 0""",
    """
    INSERT INTO params (key, value, run_uuid)
    SELECT 'p', i % 4, md5(i::text) FROM generate_series(1, <runs>) i WHERE i % 7 > 0""",
    """
    INSERT INTO tags (key, value, run_uuid)
    SELECT 'mlflow.runName', 'run-' || i % 3, md5(i::text) FROM generate_series(1, <runs>) i""",
)
FILTERS = [
    "",
    "metrics.m > 2",
    "metrics.m != 3",
    "params.p = '1' AND run_name = 'run-1'",
    "tags.none = 'x'",
    "status = 'FAILED'",
    "start_time >= 1700000000005 AND params.p != '0'",
    "start_time < 1700000000005",
    f"run_id != '{'0' * 32}'",
]
ORDERS = [
    [],
    ["start_time DESC"],
    ["start_time ASC"],
    ["metrics.m DESC"],
    ["metrics.m ASC", "params.p", "start_time"],
    ["metrics.none", "metrics.m DESC"],
    ["params.p DESC", "metrics.m"],
    ["start_time DESC", "metrics.m"],
]
EXPERIMENTS = [["1"], ["2", "1", "1"], ["1", "3", "999"], [str(i) for i in range(30)]]
VIEWS = [ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL]
CASES = random.Random(1).sample(list(itertools.product(FILTERS, ORDERS, EXPERIMENTS, VIEWS, [7, 40])), 300)


@pytest.fixture(scope="module", params=[True, False], ids=["indexes", "no indexes"])
def store(
    request: pytest.FixtureRequest, ready_database: Callable[[], Env], postgres: Postgres
) -> Iterator[SqlAlchemyStore]:
    """MLflow's store of a database with runs, with and without the chart's indexes."""
    env = ready_database()
    for statement in FILL:
        postgres.query(statement.replace("<runs>", str(RUNS)), env["PGDATABASE"])
    change = f"CREATE INDEX {METRICS_INDEX}" if request.param else "DROP INDEX mlflow_kubernetes_runs_newest"
    postgres.query(change, env["PGDATABASE"])
    place = f"{env['PGHOST']}:{env['PGPORT']}/{env['PGDATABASE']}"
    store = SqlAlchemyStore(f"postgresql+psycopg2://{env['PGUSER']}:{env['PGPASSWORD']}@{place}", "s3://b")
    yield store
    store.engine.dispose()


@pytest.fixture(autouse=True)
def _chart_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FILES))


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shortcut be taken, and be given up, among so few runs."""
    from mlflow_kubernetes.server.fast import search_statements

    for name in ("WALK_RUNS", "MANY_RUNS"):
        monkeypatch.setattr(search_statements, name, 10)
    monkeypatch.setattr(search_statements, "FEW_METRICS", 30)


def ours(store: SqlAlchemyStore, token: str = "", **search: Any) -> tuple[list[str], str]:
    """Return the ids of a page, and the token of the next one."""
    from mlflow_kubernetes.server.fast.search_rows import search_rows

    request = SearchRuns(page_token=token, **search)
    rows, after = search_rows(store.engine, request, list(request.experiment_ids))
    return [row[0] for row in rows], after


def theirs(store: SqlAlchemyStore, token: str = "", **search: Any) -> tuple[list[str], str]:
    """Return the same by MLflow's own code."""
    request = SearchRuns(page_token=token, **search)
    view = ViewType.from_proto(request.run_view_type) if search.get("run_view_type") else ViewType.ACTIVE_ONLY
    where = (list(request.experiment_ids), request.filter, view, request.max_results, list(request.order_by))
    runs, after = store._search_runs(*where, token)
    return [run.info.run_id for run in runs], after.decode() if after else ""


def no_start(store: SqlAlchemyStore) -> set[str]:
    """Return the ids of the runs that MLflow cannot show."""
    query = "SELECT run_uuid FROM runs WHERE start_time IS NULL"
    with store.engine.connect() as connection:
        return set(connection.execute(sqlalchemy.text(query)).scalars())


def offset(token: str) -> int:
    """Return what MLflow reads of a token."""
    return int(loads(b64decode(token))["offset"]) if token else 0


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("case", sweep(CASES, 10), ids=range(len(CASES)))
def test_same_pages(store: SqlAlchemyStore, case: tuple[Any, ...]) -> None:
    """Both follow their own tokens, and read the other's at each page."""
    text, order, experiments, view, size = case
    search: dict[str, Any] = {"filter": text, "order_by": order, "max_results": size}
    search |= {"experiment_ids": experiments, "run_view_type": ViewType.to_proto(view)}
    left, right = "", ""
    for _ in range(RUNS):
        found, next_right = ours(store, right, **search)
        try:
            expected, next_left = theirs(store, left, **search)
        except MlflowException as error:
            # MLflow also builds the run after the page.
            found, _ = ours(store, right, **search | {"max_results": size + 1})
            assert "start_time cannot be None" in str(error) and no_start(store) & {*found}
            return
        assert found == expected == ours(store, left, **search)[0] == theirs(store, right, **search)[0]
        assert offset(next_right) == offset(next_left)
        left, right = next_left, next_right
        if not left:
            return
    raise AssertionError("a search has no more pages than runs")


@pytest.mark.parametrize("order", [[], ["start_time DESC"], ["start_time ASC"]])
def test_a_page_begins_after_the_run_before_it(
    store: SqlAlchemyStore, postgres: Postgres, order: list[str]
) -> None:
    """An offset would skip a run for each one that was deleted, and repeat one for each that is new."""
    search: dict[str, Any] = {"experiment_ids": ["1"], "order_by": order, "max_results": 10}
    search["filter"] = "start_time > 0"
    whole, _ = ours(store, **search | {"max_results": 1000})
    first, token = ours(store, **search)
    name = store.engine.url.database
    stage = "UPDATE runs SET lifecycle_stage = %s WHERE run_uuid = ANY(%s)"
    new = f"INSERT INTO runs ({COLUMNS}) SELECT %s, 'n', 'u', 'FINISHED', %s, 1, 'active', 's3://b', 1"
    try:
        postgres.query(stage, name, ["deleted", [first[3], first[9]]])
        for number, start in enumerate((1, 1800000000000)):
            postgres.query(new, name, [f"new{number}", start])
        second, _ = ours(store, token, **search)
    finally:
        postgres.query(stage, name, ["active", [first[3], first[9]]])
        postgres.query("DELETE FROM runs WHERE run_uuid LIKE 'new%%'", name)
    assert (first, second) == (whole[:10], whole[10:20])


def test_a_token_of_another_search_is_an_offset(store: SqlAlchemyStore) -> None:
    _, token = ours(store, experiment_ids=["1"], max_results=20)
    other: dict[str, Any] = {"experiment_ids": ["1"], "order_by": ["start_time ASC"], "max_results": 20}
    assert ours(store, token, **other)[0] == theirs(store, token, **other)[0]


def test_settings_do_not_stay_with_pgbouncer(store: SqlAlchemyStore) -> None:
    """All clients share its one connection."""
    from mlflow_kubernetes.server.fast.search_rows import search_rows

    url = store.engine.url
    where = {"PGHOST": str(url.host), "PGPORT": str(url.port), "PGUSER": str(url.username)}
    with pgbouncer({**where, "PGPASSWORD": str(url.password)}, 1) as pooled:
        engine = sqlalchemy.create_engine(url.set(port=int(pooled["PGPORT"])))
        for order in ([], ["metrics.m"]):
            search = SearchRuns(experiment_ids=["1"], filter="metrics.m > 0", order_by=order, max_results=5)
            assert len(search_rows(engine, search, ["1"])[0]) == 5
        with engine.connect() as connection:
            for setting in ("jit", "enable_sort", "enable_seqscan"):
                assert connection.execute(sqlalchemy.text(f"SHOW {setting}")).scalar() == "on"
        engine.dispose()
