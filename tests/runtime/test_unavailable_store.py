"""An object store that is away or busy: 503, which MLflow's client repeats. Another failure stays 500."""

import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from runtime.network import free_port
from runtime.server import Server

FILES = "api/2.0/mlflow-artifacts/artifacts"
PATH = f"{FILES}/1/run/artifacts/file.bin"
LISTING = f"{FILES}?path=1/run/artifacts"
AWAY = 0


class Store(http.server.BaseHTTPRequestHandler):
    """A store that answers every request with one status, as S3 does, or not at all."""

    status = AWAY

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.status == AWAY:
            return
        code = "AccessDenied" if self.status == 403 else "SlowDown"
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(self.status)
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
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], store: str) -> Server:
    account = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
    place = {"MLFLOW_ARTIFACTS_DESTINATION": "s3://bucket/artifacts", "MLFLOW_S3_ENDPOINT_URL": store}
    return start(**ready_database(), **account, **place, AWS_MAX_ATTEMPTS="1").ready()


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("PUT", PATH, AWAY, 503),
        ("PUT", PATH, 503, 503),
        ("PUT", PATH, 507, 503),
        ("PUT", PATH, 403, 500),
        ("GET", PATH, AWAY, 503),
        ("GET", PATH, 503, 503),
        ("GET", PATH, 403, 403),
        ("GET", LISTING, AWAY, 503),
        ("GET", LISTING, 503, 503),
        ("GET", LISTING, 403, 403),
        ("DELETE", PATH, AWAY, 503),
        ("DELETE", PATH, 503, 503),
        ("DELETE", PATH, 403, 500),
    ],
)
def test_what_clients_are_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int, told: int
) -> None:
    monkeypatch.setattr(Store, "status", status)
    answer = requests.request(method, f"{server.url}/{path}", data=b"content", timeout=120)
    assert answer.status_code == told, answer.text
    if told == 503:
        assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
