"""The fast paths answer and write what MLflow's own code does, for good calls and bad ones."""

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
import requests

from runtime.basic_auth import ADMIN
from runtime.basic_auth import settings as login
from runtime.differential import API, Twin, canonical, differences
from runtime.fallbacks import fallbacks
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import Server

# `make nightly` sends more calls, from another seed. Each seed has servers of its own.
CALLS = int(os.environ.get("TESTS_DIFFERENTIAL_CALLS", "1050"))
SEED = int(os.environ.get("TESTS_FUZZ_SEED", "1"))
SEEDS = [SEED * 1000 + number for number in range(max(3, CALLS // 2500))]
TABLES = {
    "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
    "end_time, source_version, lifecycle_stage, artifact_uri, experiment_id",
    "metrics": "key, value, timestamp, run_uuid, step, is_nan",
    "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
    "params": "key, value, run_uuid",
    "tags": "key, value, run_uuid",
}
Env = dict[str, str]


def rows(database: Env, twin: Twin) -> dict[str, list[str]]:
    """The content of the tables, with `<n>` for the n-th run."""
    where = {"host": database["PGHOST"], "port": database["PGPORT"], "dbname": database["PGDATABASE"]}
    found = {}
    with psycopg2.connect(**where, user=database["PGUSER"], password=database["PGPASSWORD"]) as connection:
        for table, columns in TABLES.items():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {columns} FROM {table}")
                found[table] = sorted(twin.normal(repr(row)) for row in cursor)
    return found


def post(url: str, path: str, body: dict[str, object], **more: object) -> requests.Response:
    return requests.post(f"{url}{API}{path}", json=body, timeout=120, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_same_answers_and_same_rows(
    start: Callable[..., Server], ready_database: Callable[[], Env], seed: int
) -> None:
    """Against MLflow's own server; the fast paths are on in ours."""
    databases = ready_database(), ready_database()
    servers = [
        start(MLFLOW_KUBERNETES_LAUNCHER=launcher, PYTHONHASHSEED="0", **database)
        for launcher, database in zip(("upstream", "direct"), databases, strict=True)
    ]
    plain, fast = (Twin(server.ready().url) for server in servers)
    found = list(differences(plain, fast, seed, CALLS // len(SEEDS)))
    assert not found, "\n\n".join(found)
    assert rows(databases[0], plain) == rows(databases[1], fast)


@pytest.fixture(scope="module")
def own_database(ready_database: Callable[[], Env]) -> Env:
    """The database of `fast`."""
    return ready_database()


@pytest.fixture(scope="module")
def fast(start: Callable[..., Server], own_database: Env) -> Server:
    """A server with fast paths and metrics."""
    env = {"MLFLOW_KUBERNETES_LAUNCHER": "direct", "MLFLOW_EXPOSE_PROMETHEUS": "metrics"}
    return start(**env, **own_database).ready()


def new_run(url: str, **more: object) -> str:
    body = {"experiment_id": "0", "start_time": 1700000000000, "run_name": "one", "user_id": "u", **more}
    answer = post(url, "/runs/create", body)
    assert answer.ok, answer.text
    return str(answer.json()["run"]["info"]["run_id"])


def test_usual_calls_are_fast(fast: Server) -> None:
    """Without this, the test above would pass with everything left to MLflow."""
    before, run = fallbacks(fast), new_run(fast.url)
    point = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
    pair = {"key": "a", "value": "b"}
    search = {
        "experiment_ids": ["0"],
        "filter": "metrics.loss > 0 AND params.a = 'b'",
        "order_by": ["metrics.loss"],
    }
    calls = {
        "/runs/log-metric": {"run_id": run, **point},
        "/runs/log-parameter": {"run_id": run, **pair},
        "/runs/set-tag": {"run_id": run, **pair},
        "/runs/log-batch": {"run_id": run, "metrics": [point], "params": [pair], "tags": [pair]},
        "/runs/search": search,
        "/runs/update": {"run_id": run, "status": "FINISHED", "end_time": 1700000000001},
    }
    for path, body in calls.items():
        assert post(fast.url, path, body).ok, path
    found = post(fast.url, "/runs/search", search).json()["runs"]
    one = requests.get(f"{fast.url}{API}/runs/get", params={"run_id": run}, timeout=60).json()["run"]
    assert [each["info"] for each in found] == [one["info"]] and found[0]["data"] == one["data"]
    assert fallbacks(fast) == before
    post(fast.url, "/runs/search", {"experiment_ids": ["0"], "filter": "params.a IS NULL"})
    assert sum(fallbacks(fast).values()) == sum(before.values()) + 1, "the counter counts"


def test_writers_of_one_run_lose_nothing(fast: Server) -> None:
    """12 at a time, the same keys in other orders."""
    run, writers, batches = new_run(fast.url), 12, 20

    def write(number: int) -> list[str]:
        wrong = []
        for step in range(batches):
            keys = sorted(range(10), key=lambda key: hash((key, number, step)))
            points = [{"key": f"k{k}", "value": number, "timestamp": number, "step": step} for k in keys]
            answer = post(fast.url, "/runs/log-batch", {"run_id": run, "metrics": points})
            wrong += [] if answer.ok else [answer.text]
        return wrong

    with ThreadPoolExecutor(writers) as pool:
        assert not list(itertools.chain(*pool.map(write, range(writers))))
    data = requests.get(f"{fast.url}{API}/runs/get", params={"run_id": run}, timeout=60).json()["run"]["data"]
    latest = {(each["value"], each["step"]) for each in data["metrics"]}
    assert (len(data["metrics"]), latest) == (10, {(float(writers - 1), batches - 1)})
    history = {"run_id": run, "metric_key": "k0"}
    points = requests.get(f"{fast.url}{API}/metrics/get-history", params=history, timeout=60).json()[
        "metrics"
    ]
    assert len({(each["value"], each["step"]) for each in points}) == writers * batches


def test_a_broken_connection_is_no_error(fast: Server, own_database: Env, postgres: Postgres) -> None:
    """MLflow's own code connects again, and answers."""
    run = new_run(fast.url)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    for number in range(3):
        postgres.query(end, values=[own_database["PGDATABASE"]])
        body = {"run_id": run, "key": "loss", "value": number, "timestamp": 1, "step": number}
        assert post(fast.url, "/runs/log-metric", body).ok
        postgres.query(end, values=[own_database["PGDATABASE"]])
        assert requests.get(f"{fast.url}{API}/runs/get", params={"run_id": run}, timeout=60).ok


def test_connections_are_checked_without_a_query(fast: Server, own_database: Env, postgres: Postgres) -> None:
    """A call is one statement, except one that must not be repeated."""
    run, name = new_run(fast.url), own_database["PGDATABASE"]
    postgres.query(f"ALTER DATABASE {name} SET log_statement = 'all'")
    postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", values=[name])
    log = postgres.folder / "log"
    for _ in range(50):  # each connection of the pool in turn, so that all of them are new ones
        assert requests.get(f"{fast.url}{API}/runs/get", params={"run_id": run}, timeout=60).ok
    before = len(log.read_text())
    for number in range(3):
        body = {"run_id": run, "key": "loss", "value": number, "timestamp": 1, "step": number}
        assert post(fast.url, "/runs/log-metric", body).ok
    statements = log.read_text()[before:]
    assert statements.count(run) == 3 and "SELECT 1" not in statements
    new_run(fast.url)
    assert "SELECT 1" in log.read_text()[before:]
    postgres.query(f"ALTER DATABASE {name} RESET log_statement")


def answers(url: str, run: str) -> list[object]:
    """Of runs/get and of a search."""
    body = {"experiment_ids": ["0"], "filter": f"run_id = '{run}'"}
    got = requests.get(f"{url}{API}/runs/get", params={"run_id": run}, timeout=60)
    return [canonical(each.text) for each in (got, post(url, "/runs/search", body))]


ODD_ROWS = (
    "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) SELECT v, v::float8, 1, 1, "
    "false, %(run)s FROM unnest(ARRAY['-0', 'Infinity', '-Infinity', 'NaN', '1e15', '1e16', '5e-324']) v",
    "UPDATE runs SET name = NULL WHERE run_uuid = %(run)s",
    "WITH t AS (UPDATE tags SET value = '' WHERE run_uuid = %(run)s) "
    "UPDATE runs SET name = NULL WHERE run_uuid = %(run)s",
    "UPDATE tags SET value = NULL WHERE run_uuid = %(run)s",
    "UPDATE runs SET artifact_uri = '' WHERE run_uuid = %(run)s",
    "UPDATE runs SET end_time = 0, start_time = 0 WHERE run_uuid = %(run)s",
)


def test_odd_rows(fast: Server, start: Callable[..., Server], own_database: Env, postgres: Postgres) -> None:
    """As other versions of MLflow or a copy of a database may have left them."""
    own = {"MLFLOW_KUBERNETES_LAUNCHER": "direct", "MLFLOW_KUBERNETES_FAST_PATHS": "false"}
    plain = start(**own, **own_database).ready()
    name = own_database["PGDATABASE"]
    for statement in ODD_ROWS:
        run = new_run(fast.url)
        postgres.query(statement, name, values={"run": run})
        assert answers(fast.url, run) == answers(plain.url, run), statement
    for column in ("user_id", "start_time"):
        run = new_run(fast.url)
        postgres.query(f"UPDATE runs SET {column} = NULL WHERE run_uuid = %s", name, values=[run])
        body = {"run_id": run, "status": "FINISHED"}
        both = [post(server.url, "/runs/update", body) for server in (fast, plain)]
        assert both[0].text == both[1].text and {each.status_code for each in both} == {500}
        status = postgres.query("SELECT status FROM runs WHERE run_uuid = %s", name, values=[run])
        assert status == [("RUNNING",)], "the error undoes the change"
        postgres.query("DELETE FROM tags WHERE run_uuid = %s", name, values=[run])
        postgres.query("DELETE FROM runs WHERE run_uuid = %s", name, values=[run])


def test_a_param_that_another_call_writes_first(fast: Server, own_database: Env) -> None:
    """Nothing of a batch is written if one of its params was given another value in the same moment."""
    run = new_run(fast.url)
    where = {"host": own_database["PGHOST"], "port": own_database["PGPORT"]}
    more = {"user": own_database["PGUSER"], "password": own_database["PGPASSWORD"]}
    point = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
    batch = {"run_id": run, "metrics": [point], "params": [{"key": "a", "value": "ours"}]}
    other = psycopg2.connect(**where, **more, dbname=own_database["PGDATABASE"])
    with ThreadPoolExecutor(1) as pool, other.cursor() as cursor:
        cursor.execute("INSERT INTO params (key, value, run_uuid) VALUES ('a', 'theirs', %s)", [run])
        answer = pool.submit(post, fast.url, "/runs/log-batch", batch)

        def waits() -> bool:
            cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND transactionid IS NOT NULL")
            return cursor.rowcount > 0

        wait_until("the batch", waits)
        other.commit()
        assert answer.result().status_code == 400
    other.close()
    data = requests.get(f"{fast.url}{API}/runs/get", params={"run_id": run}, timeout=60).json()["run"]["data"]
    assert data["params"] == [{"key": "a", "value": "theirs"}] and "metrics" not in data


def test_search_without_the_packages_of_basic_auth(
    start: Callable[..., Server], own_database: Env, tmp_path: Path
) -> None:
    """An image may have MLflow without its extra `auth`."""
    (tmp_path / "flask_wtf.py").write_text("raise ImportError\n")
    env = {"MLFLOW_KUBERNETES_LAUNCHER": "direct", "PYTHONPATH": str(tmp_path), **own_database}
    server = start(**env).ready()
    run = new_run(server.url)
    found = post(server.url, "/runs/search", {"experiment_ids": ["0"], "max_results": 1})
    assert found.status_code == 200 and found.json()["runs"], run


def test_permissions_come_first(
    start: Callable[..., Server], ready_database: Callable[[], Env], tmp_path: Path
) -> None:
    """MLflow's basic-auth asks before each path, and filters what a search may see."""
    server = start(
        MLFLOW_KUBERNETES_LAUNCHER="direct",
        MLFLOW_KUBERNETES_APP_NAME="basic-auth",
        **login(tmp_path, "NO_PERMISSIONS"),
        **ready_database(),
    ).ready()
    bob = ("bob", "a long password of bob")
    account = {"username": bob[0], "password": bob[1]}
    assert post(server.url, "/users/create", account, auth=ADMIN).ok
    body = {"experiment_id": "0", "start_time": 1700000000000, "run_name": "one"}
    run = post(server.url, "/runs/create", body, auth=ADMIN).json()["run"]["info"]["run_id"]
    point = {"run_id": run, "key": "loss", "value": 1, "timestamp": 1, "step": 1}
    for auth, status in ((None, 401), (bob, 403), (ADMIN, 200)):
        got = requests.get(f"{server.url}{API}/runs/get", params={"run_id": run}, auth=auth, timeout=60)
        assert got.status_code == status
        assert post(server.url, "/runs/log-metric", point, auth=auth).status_code == status
    search = {"experiment_ids": ["0"]}
    assert "runs" not in post(server.url, "/runs/search", search, auth=bob).json()
    assert len(post(server.url, "/runs/search", search, auth=ADMIN).json()["runs"]) == 1


@pytest.mark.parametrize(
    "more", [{"MLFLOW_KUBERNETES_FAST_PATHS": "false"}, {"MLFLOW_BACKEND_STORE_URI": "sqlite:///x.db"}]
)
def test_where_they_stay_off(start: Callable[..., Server], own_database: Env, more: Env) -> None:
    server = start(**{"MLFLOW_KUBERNETES_LAUNCHER": "direct", **own_database, **more}).ready()
    assert "fast paths are off: " in server.log.read_text()
    run = new_run(server.url)
    assert requests.get(f"{server.url}{API}/runs/get", params={"run_id": run}, timeout=60).ok
