"""A pod leaves as Kubernetes makes it leave, and no client notices."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from runtime.network import wait_until
from runtime.server import Server

PATH = "/api/2.0/mlflow/experiments/get?experiment_id=0"
MEGABYTE = b"x" * 1_000_000


@dataclass
class Clients:
    """Steady clients that never retry: half of them keep their connection, half take a new one each time."""

    server: Server
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    # Set when the Service no longer leads to the pod: a new connection goes elsewhere, an open one stays.
    removed: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Clients":
        pauses = (0.01, 0.02, 0.05, 0.3)
        self.threads = [
            threading.Thread(target=self._work, args=(keep, pause))
            for keep in (True, False)
            for pause in pauses
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.removed.set()
        for thread in self.threads:
            thread.join()

    def _work(self, keep: bool, pause: float) -> None:
        connection: http.client.HTTPConnection | None = None
        while connection or not self.removed.is_set():
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            try:
                connection.request("GET", PATH)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(f"keep={keep}: {answer.status}")
            except OSError as error:
                self.failures.append(f"keep={keep}: {error!r}")
                return
            self.answered += 1
            if answer.will_close or not keep:
                connection.close()
                connection = None
            time.sleep(pause)


@pytest.fixture
def server(start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]) -> Server:
    return start(**ready_database(), MLFLOW_WORKERS="2", MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT="60").ready()


@pytest.mark.parametrize("late", [False, True], ids=["in time", "after SIGTERM"])
def test_no_request_is_lost(server: Server, late: bool) -> None:
    """Taken out of the Service before SIGTERM as a rule, or after it where a node's proxy is slow."""
    with Clients(server) as clients:
        wait_until("clients at work", lambda: clients.answered > 50)
        server.leaving.touch()
        if late:
            server.process.terminate()
            answered = clients.answered
            wait_until("clients served after SIGTERM", lambda: clients.answered > answered + 50)
            clients.removed.set()
        else:
            time.sleep(1)
            clients.removed.set()
            time.sleep(1)
            server.process.terminate()
        assert server.process.wait(30) == 0
    assert clients.failures == []


def test_an_upload_in_flight_arrives(server: Server) -> None:
    halfway = threading.Event()

    def slowly() -> Iterator[bytes]:
        for sent in range(50):
            if sent == 25:
                halfway.set()
            yield MEGABYTE
            time.sleep(0.1)

    def upload() -> None:
        url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/big"
        answers.append(requests.put(url, slowly(), timeout=120))

    answers: list[requests.Response] = []
    thread = threading.Thread(target=upload)
    thread.start()
    assert halfway.wait(60)
    server.leaving.touch()
    assert server.stop() == 0
    thread.join()
    (answer,) = answers
    assert answer.status_code == 200
    assert answer.headers["Connection"] == "close", "or the next request meets a closed connection"
    assert (server.folder / "artifacts" / "big").stat().st_size == 50 * len(MEGABYTE)


def test_a_client_may_ask_again_after_a_download(server: Server) -> None:
    """It began before the pod left, so its connection was to stay: the pod waits for what comes next."""
    url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/big"
    with requests.Session() as session:
        assert session.put(url, MEGABYTE * 50, timeout=120).ok
        answer = session.get(url, stream=True, timeout=120)
        assert answer.headers.get("Connection") != "close"
        server.leaving.touch()
        server.process.terminate()
        time.sleep(3)
        assert len(answer.content) == 50 * len(MEGABYTE)
        again = session.get(server.url + PATH, timeout=60)
        assert again.headers["Connection"] == "close"
    assert server.process.wait(30) == 0


def test_idle_connections_do_not_hold_a_pod_back(server: Server) -> None:
    with requests.Session() as session:
        assert session.get(server.url + PATH, timeout=60).headers.get("Connection") != "close"
        assert server.stop() == 0  # within 60 s; the connection would live for 75


def test_the_mark_of_an_earlier_container_is_removed(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], home: Path
) -> None:
    """/tmp outlives a container that a failed probe restarted, and so would `leaving`."""
    (home / "leaving").touch()
    server = start(**ready_database(), MLFLOW_KUBERNETES_LEAVING_FILE=str(home / "leaving")).ready()
    assert requests.get(server.url + PATH, timeout=60).headers.get("Connection") != "close"
    (home / "leaving").touch()
    assert requests.get(server.url + PATH, timeout=60).headers["Connection"] == "close"
