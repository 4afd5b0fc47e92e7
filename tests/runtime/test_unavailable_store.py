"""An object store that is away or busy: 503, which MLflow's client repeats. What it forbids: 403, at once."""

import contextlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
import requests

from runtime.network import free_port, wait_until
from runtime.server import Server

FILES = "api/2.0/mlflow-artifacts/artifacts"
PATH = f"{FILES}/1/run/artifacts/file.bin"
LISTING = f"{FILES}?path=1/run/artifacts"
EXPERIMENT = "api/2.0/mlflow/experiments/get?experiment_id=0"
THREADS = 8  # of a worker
AWAY = 0
ACCOUNT = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


class Store(http.server.BaseHTTPRequestHandler):
    """A store that answers every request with one status, as S3 does, or not at all."""

    status = AWAY
    lists = False
    """Whether it answers listings nevertheless: it fails after the first request of a download."""
    code = ""
    works = threading.Event()
    hanging: ClassVar[list[str]] = []
    """What it was asked for while it did not work."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if not self.works.is_set():
            self.hanging.append(self.path)
            self.works.wait()
        if self.lists and "list-type" in self.path:
            self.reply(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        elif self.status != AWAY:
            code = self.code or ("AccessDenied" if self.status == 403 else "SlowDown")
            self.reply(self.status, f"<Error><Code>{code}</Code><Message>no</Message></Error>")

    def reply(self, status: int, text: str) -> None:
        body = f"<?xml version='1.0'?>{text}".encode()
        self.send_response(status)
        self.send_header("content-type", "application/xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = answer

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    Store.works.set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """The address of a port whose kernel ignores whom it has no room for."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], store: str) -> Server:
    place = {"MLFLOW_ARTIFACTS_DESTINATION": "s3://bucket/artifacts", "MLFLOW_S3_ENDPOINT_URL": store}
    return start(**ready_database(), **ACCOUNT, **place, AWS_MAX_ATTEMPTS="1").ready()


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("PUT", PATH, AWAY, 503),
        ("PUT", PATH, 503, 503),
        ("PUT", PATH, 507, 503),
        ("PUT", PATH, 403, 403),
        ("GET", PATH, AWAY, 503),
        ("GET", PATH, 503, 503),
        ("GET", PATH, 403, 403),
        ("GET", LISTING, AWAY, 503),
        ("GET", LISTING, 503, 503),
        ("GET", LISTING, 403, 403),
        ("DELETE", PATH, AWAY, 503),
        ("DELETE", PATH, 503, 503),
        ("DELETE", PATH, 403, 403),
    ],
)
def test_what_clients_are_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int, told: int
) -> None:
    monkeypatch.setattr(Store, "status", status)
    answer = requests.request(method, f"{server.url}/{path}", data=b"content", timeout=120)
    assert answer.status_code == told, answer.text
    code = "TEMPORARILY_UNAVAILABLE" if told == 503 else "PERMISSION_DENIED"
    assert answer.json()["error_code"] == code


@pytest.mark.parametrize("status", [AWAY, 503])
def test_a_store_that_fails_after_the_listing_of_a_download(
    server: Server, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(Store, "status", status)
    monkeypatch.setattr(Store, "lists", True)
    answer = requests.get(f"{server.url}/{PATH}", timeout=120)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def test_a_store_that_hangs_leaves_threads_for_others(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "lists", True)
    Store.works.clear()
    with ThreadPoolExecutor(THREADS + 2) as pool:
        try:
            listings = [
                pool.submit(requests.get, f"{server.url}/{LISTING}", timeout=120) for _ in range(THREADS + 2)
            ]
            wait_until("listings that hang", lambda: len(Store.hanging) >= THREADS // 2)
            for _ in range(THREADS):
                others = requests.get(f"{server.url}/{EXPERIMENT}", timeout=60)
                assert others.status_code == 200, others.text
            assert len(Store.hanging) == THREADS // 2
        finally:
            Store.works.set()
        assert {each.result().status_code for each in listings} == {200}


def test_a_store_whose_address_does_not_answer(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], full_backlog: str
) -> None:
    """As that of a pod that is gone: before MLflow's client gives up, after 60 s, it is answered."""
    place = {"MLFLOW_ARTIFACTS_DESTINATION": "s3://bucket/artifacts", "MLFLOW_S3_ENDPOINT_URL": full_backlog}
    server = start(**ready_database(), **ACCOUNT, **place, AWS_MAX_ATTEMPTS="1").ready()
    answer = requests.put(f"{server.url}/{PATH}", data=b"content", timeout=55)
    assert answer.status_code == 503, answer.text


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_store_that_is_silent(
    start: Callable[..., Server],
    ready_database: Callable[[], dict[str, str]],
    store: str,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """It takes connections and requests, and never answers; all tries together end in time."""
    place = {"MLFLOW_ARTIFACTS_DESTINATION": "s3://bucket/artifacts", "MLFLOW_S3_ENDPOINT_URL": store}
    server = start(**ready_database(), **ACCOUNT, **place).ready()
    monkeypatch.setattr(Store, "works", threading.Event())
    try:
        answer = requests.request(method, f"{server.url}/{PATH}", data=b"content", timeout=58)
    finally:
        Store.works.set()
    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def test_a_clock_that_is_wrong(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store refuses what a pod signs whose node is an hour ahead; the next pod may serve the client."""
    monkeypatch.setattr(Store, "status", 403)
    monkeypatch.setattr(Store, "code", "RequestTimeTooSkewed")
    answer = requests.put(f"{server.url}/{PATH}", data=b"content", timeout=120)
    assert answer.status_code == 503, answer.text
