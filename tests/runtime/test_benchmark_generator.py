"""The load generator sends what the cases say, a number of its own in each request."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases import CASES
from benchmarks.cases.case import NUMBER
from benchmarks.generator.wrk import drive, write_requests

GOT: list[tuple[str, str, bytes]] = []


class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent; every fifth answer is an error."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        GOT.append((self.path, self.headers["X-Case"], body))
        self.send_response(500 if len(GOT) % 5 == 0 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def listener() -> Iterator[str]:
    GOT.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("name", ["log metric", "OTLP, 20 spans a request"])
def test_what_the_generator_sends(listener: str, name: str, tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == name]
    requests = case.requests()
    write_requests(tmp_path / "requests", requests)
    found = drive(listener, tmp_path / "requests", 1, 2, 7_000_000_000, {**case.headers, "X-Case": "x"})
    assert found["requests"] > 0
    assert abs(found["errors"] - found["requests"] / 5) <= 1
    assert 0 < found["p50"] <= found["p95"] <= found["p99"] <= found["max"]
    for number, (path, header, body) in enumerate(
        GOT[:10], 7_000_000_002
    ):  # wrk takes the first one to look at it
        wanted = requests[number % len(requests)]
        assert (path, header) == (wanted.path, "x")
        assert body == wanted.body.replace(NUMBER.encode(), b"%016d" % number)
