"""The database dies under load and comes back: what was acknowledged is there, and no server restarts."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import Server, environment, run

CLIENTS = 4


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    """A database server of this test's own."""
    postgres = Postgres().start()
    yield postgres
    postgres.remove()


class Logger:
    """A client that logs one metric, step by step, and never sends a step again."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.url}/api/2.0/mlflow/runs/log-metric"
        self.run = MlflowClient(server.url).create_run("0").info.run_id
        self.acknowledged: list[int] = []
        self.refused: dict[int, int] = {}

    def work(self, done: threading.Event) -> None:
        for step in range(1_000_000):
            if done.is_set():
                return
            body = {"run_id": self.run, "key": "loss", "value": step, "timestamp": step, "step": step}
            answer = requests.post(self.url, json=body, timeout=60)
            if answer.ok:
                self.acknowledged.append(step)
            else:
                self.refused[step] = answer.status_code


def test_nothing_acknowledged_is_lost(mortal: Postgres, start: Callable[..., Server], home: Path) -> None:
    where = mortal.database("mlflow", "mlflow")
    assert run("schema", environment(home, **where)).wait(300) == 0
    server = start(**where).ready()
    workers = server.workers()
    loggers = [Logger(server) for _ in range(CLIENTS)]
    done = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        try:
            working = [pool.submit(each.work, done) for each in loggers]
            wait_until("load", lambda: all(len(each.acknowledged) > 20 for each in loggers))
            mortal.stop(signal.SIGQUIT)
            wait_until("refusals", lambda: all(each.refused for each in loggers))
            mortal.start()
            wait_until(
                "answers", lambda: all(each.acknowledged[-1] > max(each.refused) + 20 for each in loggers)
            )
        finally:
            done.set()
        for each in working:
            each.result()
    assert server.workers() == workers
    client = MlflowClient(server.url)
    for each in loggers:
        kept = {point.step for point in client.get_metric_history(each.run, "loss")}
        assert kept >= set(each.acknowledged)
        assert set(each.refused.values()) == {503}, "MLflow's clients repeat what is answered so"
