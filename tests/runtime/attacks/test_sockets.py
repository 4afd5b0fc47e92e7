"""No error of a socket ends a worker or another user's request."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.attacks.observe import MIB, family, none_fails, served, slack
from runtime.attacks.wire import ARTIFACTS, JSON, SEARCH, TRACES, Wire, ask, canary, chunk, http
from runtime.server import Server

BIG = b"0123456789abcdef" * (MIB // 2)
SMALL = b'{"max_results": 1}'
UPLOAD = http("PUT", f"{ARTIFACTS}/0/cut", headers={"Content-Length": "1000000"})
CHUNKS = http("PUT", f"{ARTIFACTS}/0/cut", headers={"Transfer-Encoding": "chunked"})
# What the client sends before its reset, and whether it waits for the answer to begin.
MOMENTS: dict[str, tuple[bytes, bool]] = {
    "at once": (b"", False),
    "in a request line": (b"GET /heal", False),
    "in a head": (b"GET /health HTTP/1.1\r\nHost: loc", False),
    "before the last line end": (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r", False),
    "before a body": (UPLOAD, False),
    "in a body": (UPLOAD + b"x" * 1000, False),
    "in a chunk": (CHUNKS + b"ff\r\nxx", False),
    "in a chunk's size": (CHUNKS + b"f", False),
    "before a trailer ends": (CHUNKS + chunk(b"xx") + b"0\r\nX: y\r\n", False),
    "after a probe": (http("GET", "/health", headers={"Connection": "close"}), False),
    "after a request to Flask": (http("POST", SEARCH, SMALL, JSON), False),
    "after a request to FastAPI": (http("PUT", f"{ARTIFACTS}/0/cut", b"x"), False),
    "after two requests": (http("GET", "/version") + http("POST", SEARCH, SMALL, JSON), False),
    "after traces": (http("POST", TRACES, b"x"), False),
    "after a broken request": (b"\x00\x01\x02\r\n\r\n", False),
    "after an expectation": (UPLOAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), False),
    "in a probe's answer": (http("GET", "/health", headers={"Connection": "close"}), True),
    "in an answer": (http("GET", "/version"), True),
    "in a refusal": (http("POST", SEARCH, SMALL, {"Origin": "https://evil.example.com"}), True),
    "in a refusal of bytes": (b"\x00\x01\x02\r\n\r\n", True),
    "in a download": (http("GET", f"{ARTIFACTS}/0/big"), True),
    "in a static file": (http("GET", "/"), True),
}


@pytest.fixture
def steady(plain: Server) -> Server:
    """The server, with a large artifact."""
    answer = ask(plain, http("PUT", f"{ARTIFACTS}/0/big", BIG))
    assert answer and answer.status == 200
    return plain


def test_a_reset_ends_nobody_elses_request(steady: Server) -> None:
    """At every moment of a request, eight times each, while another client uses the server."""
    workers = family(steady)

    def case(name: str) -> str:
        sent, waits = MOMENTS[name]
        for pause in (0, 0, 0.01, 0.05, 0.2, 0.2, 0.3, 0.4):
            try:
                wire = Wire(steady.port)
            except OSError as error:
                return f"{error!r}: no new connection"
            wire.send(sent)
            if waits:
                wire.sock.settimeout(10 * slack())
                try:
                    wire.sock.recv(10)
                except ConnectionError:
                    return "the server was first with a reset"
                except TimeoutError:
                    return "no answer"
            time.sleep(pause)
            wire.reset()
        return "" if set(family(steady)) >= set(workers) else "a worker ended"

    none_fails(case, MOMENTS, at_once=8)
    time.sleep(1)
    assert set(family(steady)) >= set(workers)
    assert served(steady) == []


class Uploads:
    """Clients that upload slowly, three with a length and three in chunks; each file is another."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.files = {f"up{number}": b"%07d" % number * 6000 for number in range(6)}
        self.begun = threading.Barrier(len(self.files) + 1)

    def run(self, attack: Callable[[], None]) -> list[str]:
        """Upload all files while the attack runs; what went wrong."""
        with ThreadPoolExecutor(len(self.files)) as pool:
            uploads = [pool.submit(self._upload, name) for name in self.files]
            self.begun.wait(30)
            attack()
            return [words for each in uploads if (words := each.result())]

    def _upload(self, name: str) -> str:
        content, chunked = self.files[name], int(name[2:]) % 2
        framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(content))}
        step = len(content) // 20
        with Wire(self.server.port) as wire:
            wire.send(http("PUT", f"{ARTIFACTS}/0/{name}", headers=framing))
            self.begun.wait(30)
            for at in range(0, len(content), step):
                piece = content[at : at + step]
                if not wire.send(chunk(piece) if chunked else piece):
                    return f"{name}: cut off after {at} bytes"
                time.sleep(0.1)
            wire.send(b"0\r\n\r\n" if chunked else b"")
            answer = wire.final()
        stored = self.server.folder / "artifacts" / "0" / name
        if answer is None or answer.status != 200:
            return f"{name}: {answer}"
        return "" if stored.read_bytes() == content else f"{name}: other bytes were stored"


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\n"], ids=["connects", "begins a request"])
def test_a_port_scan_loses_no_upload(plain: Server, sent: bytes) -> None:
    workers = family(plain)

    def scan() -> None:
        for _ in range(1000):
            wire = Wire(plain.port)
            wire.send(sent)
            wire.reset()

    assert Uploads(plain).run(scan) == []
    assert set(family(plain)) >= set(workers), "a worker ended"


def test_aborted_uploads_lose_no_other(plain: Server) -> None:
    workers = family(plain)

    def abort() -> None:
        for number in range(100):
            wire = Wire(plain.port)
            wire.send((UPLOAD, CHUNKS)[number % 2] + b"ff\r\n" + b"x" * 100 * number)
            time.sleep(0.01)
            wire.reset()

    assert Uploads(plain).run(abort) == []
    assert set(family(plain)) >= set(workers), "a worker ended"


HALF_CLOSED = {
    "probe": (http("GET", "/health"), 2),
    "Flask": (http("GET", "/version"), 3),
    "Flask with a body": (http("POST", SEARCH, SMALL, JSON), 2),
    "FastAPI": (http("GET", "/api/3.0/mlflow/server-info"), 2),
    "download": (http("GET", f"{ARTIFACTS}/0/big"), len(BIG)),
    "refusal": (http("POST", SEARCH, SMALL, {"Origin": "https://evil.example.com"}), 2),
    "unread body": (http("POST", "/nothing/there", SMALL), 2),
    "bad request": (b"GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 0),
    "chunks": (CHUNKS + chunk(b"xx") + b"0\r\n\r\n", 0),
}


def test_a_half_closed_client_gets_its_answer(steady: Server) -> None:
    """`nc -N`, some proxies and some health checks end their half as soon as they have asked."""

    def case(name: str) -> str:
        sent, least = HALF_CLOSED[name]
        with Wire(steady.port) as wire:
            wire.send(sent)
            wire.end_of_requests()
            wire.sock.settimeout(15 * slack())
            try:
                answer = wire.final()
            except (OSError, AssertionError) as error:
                return f"{error!r}"
            if answer is None or len(answer.body) < least:
                return f"{answer}"
            return "" if wire.ended(5 * slack()) else "the connection stays open"

    none_fails(case, HALF_CLOSED)


@pytest.mark.parametrize("late", [0, 0.3], ids=["at once", "later"])
def test_a_half_closed_connection_that_asks_for_nothing_ends(plain: Server, late: float) -> None:
    """An end in the middle of a request is an end; nothing waits for the rest."""
    workers = family(plain)

    def case(name: str) -> str:
        with Wire(plain.port) as wire:
            wire.send(MOMENTS[name][0])
            time.sleep(late)
            wire.end_of_requests()
            return "" if wire.ended(2.5 * slack()) else "the connection stays open"

    none_fails(case, [name for name, (_, waits) in MOMENTS.items() if not waits])
    assert set(family(plain)) >= set(workers)


def test_pipelined_requests_before_a_half_close_are_answered(plain: Server) -> None:
    names = [f"half{number}" for number in range(5)]
    with Wire(plain.port) as wire:
        wire.send(b"".join(map(canary, names)))
        wire.end_of_requests()
        answers, ended = wire.all(20 * slack())
    assert [answer.id for answer in answers] == names and ended
