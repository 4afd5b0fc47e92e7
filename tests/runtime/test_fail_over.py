"""What a server acknowledged is there once, whatever ends under load: database, connections, a worker."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import requests
from mlflow import MlflowClient
from psycopg2 import sql

from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import Server

CLIENTS = 4
MORE = 20
NO_ANSWER = 0
NAME = "mlflow"


HOW = {
    "fast": {},
    "own": {"MLFLOW_KUBERNETES_FAST_PATHS": "false"},
    "upstream": {"MLFLOW_KUBERNETES_LAUNCHER": "upstream"},
}


@pytest.fixture(params=["fast", "own"])
def server(
    request: pytest.FixtureRequest, own_tables: dict[str, str], start: Callable[..., Server]
) -> Server:
    """With fast paths, and with MLflow's own code."""
    return start(**own_tables, **HOW[request.param], MLFLOW_WORKERS="2").ready()


class Writer:
    """A client that logs a metric and creates a run, step by step, and never sends a step again."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.url}/api/2.0/mlflow/runs"
        self.run = MlflowClient(server.url).create_run("0").info.run_id
        self.acknowledged: dict[str, list[int]] = {"create": [], "log-metric": []}
        self.refused: dict[int, int] = {}

    def work(self, done: threading.Event) -> None:
        for step in range(1_000_000):
            if done.is_set():
                return
            point = {"key": "loss", "value": step, "timestamp": step, "step": step}
            new = {"experiment_id": "0", "start_time": 1, "user_id": "u", "run_name": f"{self.run} {step}"}
            self.send("log-metric", step, {"run_id": self.run, **point})
            self.send("create", step, new)

    def send(self, call: str, step: int, body: dict[str, object]) -> None:
        try:
            status = requests.post(f"{self.url}/{call}", json=body, timeout=60).status_code
        except requests.ConnectionError:
            status = NO_ANSWER
        if status == 200:
            self.acknowledged[call].append(step)
        else:
            self.refused[step] = status

    def last(self) -> int:
        """The last step of which both calls were acknowledged, or one before it."""
        return min(([-1, *steps])[-1] for steps in self.acknowledged.values())

    def written(self, database: Postgres) -> dict[str, list[int]]:
        """The steps in the database."""
        metrics = "SELECT step FROM metrics WHERE run_uuid = %s"
        names = "SELECT name FROM runs WHERE name LIKE %s"
        return {
            "log-metric": [step for (step,) in database.query(metrics, NAME, [self.run])],
            "create": [int(name.split()[1]) for (name,) in database.query(names, NAME, [f"{self.run} %"])],
        }


def under_load(server: Server, database: Postgres, fault: Callable[[list[Writer]], None]) -> list[Writer]:
    """Let something end under load, wait until all goes on, and compare the database with the answers."""
    writers, done = [Writer(server) for _ in range(CLIENTS)], threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        try:
            working = [pool.submit(each.work, done) for each in writers]
            more_steps(writers)
            fault(writers)
            more_steps(writers)
        finally:
            done.set()
        for each in working:
            each.result()
    for writer in writers:
        for call, steps in writer.written(database).items():
            assert set(steps) >= set(writer.acknowledged[call]), f"{call}: lost"
            assert len(set(steps)) == len(steps), f"{call}: doubled"
            assert set(steps) <= {*writer.acknowledged[call], *writer.refused}, f"{call}: never sent"
    return writers


def more_steps(writers: list[Writer], more: int = MORE) -> None:
    """Wait until each writer got so many steps acknowledged after this moment."""
    now = [each.last() + more for each in writers]
    wait_until("steps", lambda: all(each.last() > step for each, step in zip(writers, now, strict=True)))


def statuses(writers: list[Writer]) -> set[int]:
    """How the calls were answered that were not acknowledged."""
    return {status for each in writers for status in each.refused.values()}


def test_the_database_dies_and_comes_back(server: Server, own_postgres: Postgres) -> None:
    workers = server.workers()

    def fault(writers: list[Writer]) -> None:
        own_postgres.stop(signal.SIGQUIT)
        wait_until("refusals", lambda: all(each.refused for each in writers))
        own_postgres.start()

    assert statuses(under_load(server, own_postgres, fault)) == {503}, (
        "clients of MLflow repeat what is answered so"
    )
    assert server.workers() == workers, "no worker restarts"


def test_connections_break(server: Server, own_postgres: Postgres) -> None:
    """In the middle of statements: ten times all connections, whatever they do."""
    end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"

    def fault(writers: list[Writer]) -> None:
        for _ in range(10):
            wait_until("connections", lambda: own_postgres.query(end, values=[NAME])[0][0] > 0)
            more_steps(writers, 1)

    assert statuses(under_load(server, own_postgres, fault)) <= {503}


@pytest.mark.parametrize("server", ["own", "upstream"], indirect=True)
def test_all_connections_of_a_request_break(server: Server, own_postgres: Postgres) -> None:
    """MLflow's own code has one transaction open, idle, while another one writes a part of the batch."""
    run = MlflowClient(server.url).create_run("0").info.run_id
    body = {"run_id": run, "params": [{"key": "rate", "value": "1"}]}
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT %'"
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
    with closing(own_postgres.connect(NAME)) as holder, ThreadPoolExecutor(1) as pool:
        holder.cursor().execute("LOCK TABLE params IN SHARE MODE")
        url = f"{server.url}/api/2.0/mlflow/runs/log-batch"
        answer = pool.submit(requests.post, url, json=body, timeout=60)
        wait_until("a statement that waits", lambda: bool(own_postgres.query(waits)))
        own_postgres.query(end, values=[NAME])
        assert answer.result().status_code == 503, answer.result().text


@pytest.mark.parametrize("server", HOW, indirect=True)
def test_connections_that_take_no_writes_are_closed(server: Server, own_postgres: Postgres) -> None:
    """As those to a primary that has become a standby: new ones lead to the new primary."""
    database = sql.Identifier(NAME)
    read_only = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(database)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

    def fault(writers: list[Writer]) -> None:
        own_postgres.query(read_only)  # of sessions that begin from now on until its end
        try:
            own_postgres.query(end, values=[NAME])
            wait_until("refusals", lambda: all(each.refused for each in writers))
        finally:
            own_postgres.query(
                sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(database)
            )

    assert statuses(under_load(server, own_postgres, fault)) == {503}


def test_a_worker_is_killed(server: Server, own_postgres: Postgres) -> None:
    def fault(_: list[Writer]) -> None:
        workers = server.workers()
        os.kill(workers[0], signal.SIGKILL)
        wait_until("a new worker", lambda: len({*server.workers()} - {*workers}) == 1)

    assert statuses(under_load(server, own_postgres, fault)) <= {NO_ANSWER}
