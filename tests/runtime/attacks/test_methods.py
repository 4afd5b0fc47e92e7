"""Methods that MLflow does not have stop before it, and leave nothing behind."""

import itertools
import string

import pytest

from runtime.attacks.observe import none_fails
from runtime.attacks.wire import ARTIFACTS, SEARCH, Wire, ask, canary, http
from runtime.basic_auth import ADMIN
from runtime.server import Server

KNOWN = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
TOKENS = ["TRACE", "CONNECT", "PROPFIND", "SEARCH", "QUERY", "PURGE", "M-SEARCH", "LINK", "SUBSCRIBE", "FOO"]
OTHERS = ["get", "Get", "GETT", "G", "X" * 1000, "GET1", "G-T", "_", "!", "~", "PRI", "SOURCE", "OPTION"]
NO_TOKENS = [
    "G@T",
    "GE T",
    "(GET)",
    "GET,POST",
    "G\u00cbT",
    "\x00GET",
    "GET\x00",
    "",
    '"GET"',
    "GET/",
    "G{T}",
]
PATHS = ["/", "/version", "/health", "/metrics", SEARCH, f"{ARTIFACTS}/0/x", "/v1/traces", "/nothing/there"]


def test_unknown_methods_are_not_implemented(login: Server) -> None:
    """With and without an account: they stop before the login, too."""

    def case(method: str) -> str:
        wrong = []
        for path in PATHS:
            answer = ask(login, http(method, path, account=ADMIN), timeout=60)
            if answer is None or answer.status not in (
                (501,) if method.isalnum() and method != "PRI" else (501, 400)
            ):
                wrong.append(f"{path} {answer and answer.status}")
        return ", ".join(wrong)

    none_fails(case, TOKENS + OTHERS)


def test_what_is_no_method_is_refused(login: Server) -> None:
    def case(method: str) -> str:
        with Wire(login.port) as wire:
            wire.send(http(method, "/version") + canary("after"))
            answers, ended = wire.all(5)
        statuses = [answer.status for answer in answers]
        return "" if ended and statuses in ([400], [501]) else f"{statuses} ended: {ended}"

    none_fails(case, NO_TOKENS)


def test_known_methods_reach_the_application(plain: Server) -> None:
    statuses = {}
    for method in KNOWN:
        answer = ask(plain, http(method, "/version"), method)
        statuses[method] = answer and answer.status
    assert statuses == dict.fromkeys(KNOWN, 405) | dict.fromkeys(("GET", "HEAD", "OPTIONS"), 200)


def test_a_body_of_an_unknown_method_is_no_request(plain: Server) -> None:
    inner = canary("method-inner")
    with Wire(plain.port) as wire:
        wire.send(http("BREW", "/version", inner) + canary("method-after"))
        answers, ended = wire.all(5)
    assert answers[0].status == 501 and "method-inner" not in [answer.id for answer in answers]
    assert ended or [answer.id for answer in answers[1:]] == ["method-after"]


@pytest.mark.parametrize("count", [3000])
def test_invented_methods_leave_no_trace(plain: Server, count: int) -> None:
    """Each was a counter and a histogram in the metrics, permanently."""
    folder = plain.folder / "metrics"

    def sizes() -> tuple[int, int]:
        page = ask(plain, http("GET", "/metrics"))
        assert page and page.status == 200
        return sum(file.stat().st_size for file in folder.iterdir()), page.body.count(b"\n")

    ask(plain, http("GET", "/nothing/there"))
    sizes()
    before, log = sizes(), plain.log.stat().st_size
    names = ("X" + "".join(letters) for letters in itertools.product(string.ascii_uppercase, repeat=3))
    wire = Wire(plain.port)
    statuses = set()
    for name in itertools.islice(names, count):
        answer = wire.final() if wire.send(http(name, "/nothing/there")) else None
        if answer is None or answer.closes:
            wire.sock.close()
            wire = Wire(plain.port)
        statuses.add(answer and answer.status)
    wire.sock.close()
    after = sizes()
    assert statuses - {None} == {501}
    assert after[0] <= before[0] + 4096 and after[1] <= before[1] + 50
    assert b"XAAA" not in b"".join(file.read_bytes() for file in folder.iterdir())
    assert plain.log.stat().st_size < log + count * 1000
