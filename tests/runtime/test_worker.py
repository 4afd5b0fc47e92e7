"""What a worker does under load, with slow clients and a hanging database."""

import http.client
import os
import select
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
import pytest
import requests
import yaml
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from mlflowops.paths import REPO

from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import Server

VALUES = yaml.safe_load((REPO / "charts" / "mlflow" / "values.yaml").read_text())
POOL = VALUES["backendStore"]["postgres"]
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def where(ready_database: Callable[[], dict[str, str]]) -> dict[str, str]:
    return ready_database()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], where: dict[str, str]) -> Server:
    """One worker with the chart's threads and pool."""
    return start(
        **where,
        MLFLOW_KUBERNETES_THREADS=str(VALUES["mlflow"]["threads"]),
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE=str(POOL["poolSize"]),
        MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW=str(POOL["maxOverflow"]),
    ).ready()


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def read_answer(sock: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer


def test_no_database_connection_crosses_the_fork(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], postgres: Postgres
) -> None:
    where = ready_database()
    server = start(**where, MLFLOW_WORKERS="2").ready()
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    open_now = postgres.query(count, values=(where["PGDATABASE"],))
    assert open_now == [(0,)], "opened by the parent, they would be shared by its workers"
    assert server.stop() == 0


def test_forty_clients_do_not_exhaust_the_pool(server: Server) -> None:
    client = MlflowClient(server.url)
    runs = [client.create_run("0", run_name=str(number)).info.run_id for number in range(40)]
    metrics = [Metric(f"m{number}", 1.0, 1, 1) for number in range(20)]
    body = {"metrics": [dict(metric) for metric in metrics]}

    def log(run: str) -> int:
        url = f"{server.url}/api/2.0/mlflow/runs/log-batch"
        return requests.post(url, json={"run_id": run, **body}, timeout=120).status_code

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(log, runs * 3)) == {200}


def test_silent_connections_take_no_thread(server: Server) -> None:
    """Browsers and load balancers open connections ahead of their requests."""
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(closing(connect(server)))
        assert requests.get(f"{server.url}/version", timeout=60).ok


def test_probes_are_answered_while_the_database_hangs(server: Server, where: dict[str, str]) -> None:
    place = {"host": where["PGHOST"], "port": where["PGPORT"], "dbname": where["PGDATABASE"]}
    database = psycopg2.connect(**place, user=where["PGUSER"], password=where["PGPASSWORD"])
    database.cursor().execute("LOCK TABLE experiments IN ACCESS EXCLUSIVE MODE")
    search = f"{server.url}/api/2.0/mlflow/experiments/search?max_results=1"
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(requests.get, search, timeout=120) for _ in range(20)]
        for _ in range(3):
            with closing(connect(server)) as probe:
                probe.sendall(HEALTH)
                assert read_answer(probe).status == 200
        assert not any(each.done() for each in waiting), "the lock was meant to hold them all"
        database.close()
        assert {each.result().status_code for each in waiting} == {200}


def test_a_probe_is_answered_like_any_request(server: Server) -> None:
    answers, ids = [], []
    kept, asked = HEALTH.replace(b"close", b"keep-alive"), HEALTH.replace(b"/health", b"/health?")
    for question in (HEALTH, kept, asked):
        with closing(connect(server)) as sock:
            sock.sendall(question)
            answer = read_answer(sock)
            skipped = {"date", "connection", "x-request-id"}
            headers = {k.lower(): v for k, v in answer.getheaders() if k.lower() not in skipped}
            answers.append((answer.status, headers, answer.read()))
            ids.append(answer.getheader("X-Request-ID"))
    assert answers[0] == answers[1] == answers[2]
    assert all(ids) and len(set(ids)) == 3


def test_a_refusal_waits_for_the_rest_of_its_request(server: Server) -> None:
    """Traefik cuts off an answer that comes while it still sends: 4 of 100, without this."""
    head = "POST /ajax-api/2.0/mlflow/experiments/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    with closing(connect(server)) as sock:
        sock.sendall(f"{head}Origin: https://evil.example.com\r\n\r\n".encode())
        early, _, _ = select.select([sock], [], [], 0.3)
        assert not early
        sock.sendall(b"{}")
        answer = read_answer(sock)
        assert (answer.status, answer.read()) == (403, b"Cross-origin request blocked")


def test_an_answer_before_the_end_of_its_request_ends_the_connection(server: Server) -> None:
    """What follows could be the rest of the body or another request: no header says which."""
    first = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
    with closing(connect(server)) as sock:
        sock.sendall(first)
        answer = read_answer(sock)
        assert (answer.status, answer.getheader("Connection")) == (413, "close")
        sock.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer.read()
        assert sock.recv(100) == b""


def test_long_urls_are_read(server: Server) -> None:
    """The UI asks for a metric of many runs in one GET."""
    runs = "&".join(f"run_id={number:032d}" for number in range(100))
    url = f"{server.url}/ajax-api/2.0/mlflow/metrics/get-history-bulk?metric_key=m&{runs}"
    assert requests.get(url, timeout=60).json() == {"metrics": []}


def test_a_killed_worker_is_replaced(server: Server) -> None:
    (worker,) = server.workers()
    os.kill(worker, 9)
    wait_until("another worker", lambda: server.workers() not in ([], [worker]))
    assert requests.get(f"{server.url}/version", timeout=60).ok


def test_kept_connections_spread_over_the_workers(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]
) -> None:
    """With one shared socket, one of the workers would take nearly all of them."""
    server = start(**ready_database(), MLFLOW_WORKERS="2").ready()
    with ExitStack() as stack:
        for _ in range(64):
            sock = stack.enter_context(closing(connect(server)))
            sock.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
            read_answer(sock).read()
        held = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in server.workers()]
        assert max(held) - min(held) < 40
