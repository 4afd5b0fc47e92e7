"""No request makes a server hold more than its limits say, with an account or without one."""

import os
import select
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.attacks.observe import MIB, Growth, growth, none_fails, served, slack
from runtime.attacks.wire import ARTIFACTS, JSON, SEARCH, TRACES, Answer, Wire, ask, chunk, http
from runtime.basic_auth import ADMIN
from runtime.server import Server

LOG_BATCH = "/api/2.0/mlflow/runs/log-batch"
GRAPHQL = "/graphql"
# What a request costs while it is read and answered: a body of the allowed size, twice, and some air.
FLAT, ALLOWED = 60, 100
# 60 KiB each; all 4,096 that a cache held are for the night.
PATHS = 4096 if int(os.environ.get("MLFLOW_ATTACKS_MUTATIONS", "1000")) > 10_000 else 1024


def pour(wire: Wire, data: bytes, times: int, until_answered: bool = False) -> int:
    """Send the same bytes again and again until the server ends it, or answers; how often."""
    wire.sock.settimeout(20 * slack())
    for number in range(times):
        answered = until_answered and select.select([wire.sock], [], [], 0)[0]
        if answered or not wire.send(data):
            return number
    return times


def last_answer(wire: Wire) -> Answer | None:
    """The answer, if the server could still send one to a client that it cut off."""
    wire.sock.settimeout(20 * slack())
    try:
        return wire.final()
    except (OSError, AssertionError):
        return None


HEADS = {
    "request line": (b"GET /", b"a" * 65536, 414),
    "query": (b"GET /?", b"a" * 65536, 414),
    "method": (b"", b"A" * 65536, None),
    "field": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"a" * 65536, 431),
    "field name": (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a" * 65536, 431),
    "many fields": (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n" * 10_000, 431),
    "spaces": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX:", b" " * 65536, None),
    "empty lines": (b"", b"\r\n" * 32_768, None),
    "chunk extension": (
        http("POST", "/", headers={"Transfer-Encoding": "chunked"}) + b"1;",
        b"a" * 65536,
        None,
    ),
    "chunk size": (http("POST", "/", headers={"Transfer-Encoding": "chunked"}), b"0" * 65536, None),
    "trailer": (
        http("POST", "/", headers={"Transfer-Encoding": "chunked"}) + b"0\r\nX: ",
        b"a" * 65536,
        None,
    ),
    "trailers": (
        http("POST", "/", headers={"Transfer-Encoding": "chunked"}) + b"0\r\n",
        b"X: y\r\n" * 10_000,
        None,
    ),
}


@pytest.mark.parametrize("part", HEADS)
def test_heads_have_an_end(plain: Server, part: str) -> None:
    """24 MiB of one; a proxy would send them as readily."""
    start, more, status = HEADS[part]
    began = time.monotonic()
    with growth(plain) as grown, Wire(plain.port) as wire:
        wire.send(start)
        taken = pour(wire, more, 24 * 16)
        answer = last_answer(wire) if taken < 24 * 16 else None
        assert taken < 24 * 16 or wire.ended(15), "the server takes all of it"
    assert grown.memory < FLAT
    assert time.monotonic() - began < 20 * slack()
    assert answer is None or answer.status in ((status,) if status else (400, 404, 405, 413, 414, 431, 501))
    assert served(plain, rounds=1) == []


@pytest.mark.parametrize(("part", "status"), [("line", 414), ("field", 431)])
def test_the_limits_of_a_head(plain: Server, part: str, status: int) -> None:
    def sized(size: int) -> bytes:
        text = "a" * size
        return (
            http("GET", f"/version?{text}")
            if part == "line"
            else http("GET", "/version", headers={"X": text})
        )

    fits, too_large = ask(plain, sized(60 << 10)), ask(plain, sized(66 << 10))
    assert fits and fits.status == 200
    assert too_large and (too_large.status, too_large.closes) == (status, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_long_paths_are_not_kept(plain: Server, method: str) -> None:
    with growth(plain) as grown, Wire(plain.port, timeout=60) as wire:
        for number in range(PATHS):
            path = f"/{number:06d}" + "a" * (60 << 10)
            wire.send(http(method, path, b"" if method == "POST" else None))
            answer = wire.final()
            assert answer and answer.status in (404, 405)
    assert grown.memory < FLAT, f"{PATHS} paths of 60 KiB: {grown.memory:.0f} MiB"


TARGETS = {
    "artifact": ("PUT", f"{ARTIFACTS}/0/poured", {}),
    "log-batch": ("POST", LOG_BATCH, JSON),
    "GraphQL": ("POST", GRAPHQL, JSON),
    "traces": ("POST", TRACES, {"Content-Type": "application/x-protobuf", "X-MLflow-Experiment-Id": "0"}),
    "nothing": ("POST", "/nothing/there", {}),
    "a GET": ("GET", SEARCH, {}),
    "health": ("POST", "/health", {}),
    "signup": ("POST", "/signup", {}),
}


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_bodies_without_an_account_are_not_kept(login: Server, framing: str) -> None:
    """400 MiB each, to routes of both apps: refused early, in neither memory nor TMPDIR."""
    block = b"A" * MIB

    def case(target: str) -> str:
        method, path, headers = TARGETS[target]
        more = (
            {"Transfer-Encoding": "chunked"} if framing == "chunked" else {"Content-Length": str(400 * MIB)}
        )
        with growth(login) as grown, Wire(login.port) as wire:
            wire.send(http(method, path, headers=headers | more))
            part = chunk(block) if framing == "chunked" else block
            taken = pour(wire, part, 400, until_answered=True)
            pour(wire, part, 400 - taken)  # a client that does not care
            answer = last_answer(wire)
        wrong = f"no answer to {taken} MiB" if taken > 200 else ""
        if answer and answer.status not in (401, 403, 404, 405, 413):
            wrong += f" {answer.status}"
        return wrong + too_much(grown, ALLOWED)

    none_fails(case, TARGETS, at_once=1)


def too_much(grown: Growth, memory: float, disk: float = 8) -> str:
    """A sentence about what grew beyond its limit."""
    words = f" memory grew by {grown.memory:.0f} MiB" if grown.memory > memory else ""
    return words + (f" TMPDIR grew by {grown.disk:.0f} MiB" if grown.disk > disk else "")


def bomb(size: int, wbits: int) -> bytes:
    """Zeros in gzip (wbits 31), zlib (15) or raw deflate (-15): a thousandth of their size.

    One MiB is compressed once and repeated, as a full flush makes it independent of what is before it.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    body = block * (size // MIB) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    if wbits < 0:
        return body
    check, adler = 0, 1
    for _ in range(size // MIB):
        check, adler = zlib.crc32(bytes(MIB), check), zlib.adler32(bytes(MIB), adler)
    if wbits == 15:
        return b"\x78\xda" + body + struct.pack(">I", adler)
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + body + struct.pack("<II", check, size & 0xFFFFFFFF)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: bomb(400 * MIB, 31),
    "GZIP": lambda: bomb(400 * MIB, 31),
    "x-gzip": lambda: bomb(400 * MIB, 31),
    "gzip, gzip": lambda: bomb(400 * MIB, 31),
    "deflate": lambda: bomb(400 * MIB, 15),
    "Deflate": lambda: bomb(400 * MIB, -15),
    " gzip ": lambda: bomb(400 * MIB, 31),
}


def test_a_bomb_is_the_bomb_it_claims_to_be() -> None:
    for wbits in (31, 15, -15):
        assert zlib.decompress(bomb(4 * MIB, wbits), wbits) == bytes(4 * MIB)


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_small_body_stays_small(plain: Server, encoding: str) -> None:
    """400 KiB that become 400 MiB, to every kind of route."""
    body = BOMBS[encoding]()

    def case(target: str) -> str:
        method, path, headers = TARGETS[target]
        if target == "artifact":
            return ""  # stored unchanged
        with growth(plain) as grown:
            sent = http(method, path, body, headers | {"Content-Encoding": encoding})
            answer = ask(plain, sent, timeout=60 * slack())
        wrong = "" if answer and answer.status >= 400 else f"{answer and answer.status}"
        return wrong + too_much(grown, ALLOWED)

    none_fails(case, ["traces"] if encoding not in ("gzip", "deflate") else TARGETS, at_once=1)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("target", ["log-batch", "GraphQL", "traces", "nothing"])
def test_large_bodies_are_refused(plain: Server, target: str, framing: str) -> None:
    """104 MiB of JSON cost 1.8 GiB; MLFLOW_KUBERNETES_MAX_BODY_MIB is 32 here, as by default."""
    method, path, headers = TARGETS[target]
    block = b'{"a": [' + b"1," * (MIB // 2)
    more = (
        {"Transfer-Encoding": "chunked"}
        if framing == "chunked"
        else {"Content-Length": str(104 * len(block))}
    )
    with growth(plain) as grown, Wire(plain.port) as wire:
        wire.send(http(method, path, headers=headers | more))
        pour(wire, chunk(block) if framing == "chunked" else block, 104)
        answer = last_answer(wire)
    assert not too_much(grown, ALLOWED, disk=40)  # chunks may fill the limit, on disk, before they pass it
    assert answer is None or (answer.status, answer.closes) in ((413, True), (404, True))
    if framing == "length":  # the head is enough, so this answer cannot get lost
        early = ask(plain, http(method, path, headers=headers | more))
        assert early and early.status in ((413, 404) if target == "nothing" else (413,))


def test_bodies_below_the_limit_are_read(plain: Server) -> None:
    body = (
        b'{"run_id": "none", "metrics": [], "params": [], "tags": [{"key": "k", "value": "'
        + b"a" * (20 * MIB)
        + b'"}]}'
    )
    for sent in (http("POST", LOG_BATCH, body, JSON), chunked(LOG_BATCH, body)):
        answer = ask(plain, sent)
        assert answer and answer.status != 413, "MLflow decides, by the content"


@pytest.mark.parametrize("account", [None, (ADMIN[0], "a wrong password, and long")], ids=["none", "wrong"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_body_waits_for_the_login(
    kind: Callable[[str, str], Server], framing: str, account: tuple[str, str] | None
) -> None:
    """The answer comes before the body, so a stranger's body neither waits nor fills the disk."""
    server = kind("direct", "login")
    more = {"Transfer-Encoding": "chunked"} if framing == "chunked" else {"Content-Length": str(20 * MIB)}
    data = b"a" * (300 << 10)
    with Wire(server.port) as wire:
        wire.send(http("POST", LOG_BATCH, headers=JSON | more, account=account))
        wire.send(chunk(data) if framing == "chunked" else data)
        answer = wire.answer()
    assert answer and (answer.status, answer.closes) == (401, True)


def test_a_large_body_of_an_account_is_read(kind: Callable[[str, str], Server]) -> None:
    body = b'{"run_id": "none", "tags": [{"key": "k", "value": "' + b"a" * (20 * MIB) + b'"}]}'
    answer = ask(kind("direct", "login"), http("POST", LOG_BATCH, body, JSON, ADMIN))
    assert answer and answer.status == 404, "MLflow has no such run"


def chunked(path: str, body: bytes) -> bytes:
    parts = [chunk(body[at : at + MIB]) for at in range(0, len(body), MIB)]
    return (
        http("POST", path, headers=JSON | {"Transfer-Encoding": "chunked"}) + b"".join(parts) + b"0\r\n\r\n"
    )


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_artifacts_have_no_limit(login: Server, framing: str) -> None:
    """And are handed on as they come: neither memory nor TMPDIR holds them."""
    parts = [b"%016d" % number * (MIB // 16) for number in range(64)]
    path = f"{ARTIFACTS}/0/large-{framing}"
    more = {"Transfer-Encoding": "chunked"} if framing == "chunked" else {"Content-Length": str(64 * MIB)}
    with growth(login) as grown, Wire(login.port, timeout=120) as wire:
        wire.send(http("PUT", path, headers=more, account=ADMIN))
        for part in parts:
            assert wire.send(chunk(part) if framing == "chunked" else part)
        wire.send(b"0\r\n\r\n" if framing == "chunked" else b"")
        answer = wire.final()
    assert answer and answer.status == 200
    stored = Path(login.folder / "artifacts" / "0" / f"large-{framing}")
    assert stored.read_bytes() == b"".join(parts)
    assert grown.memory < FLAT
