"""Random damage to the framing of requests, always the same for the same seed.

MLFLOW_ATTACKS_MUTATIONS says how many requests (default 1000). Each carries a whole request in its body,
which is never to be answered. A canary follows it on the connection and is answered as itself or not at all.
"""

import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from runtime.attacks.observe import family, served
from runtime.attacks.wire import ARTIFACTS, SEARCH, Garbage, Wire, ask, canary, http
from runtime.server import Server

SEED = 20_26_11
JUNK = b"{\x01}"  # begins no request, wherever a parser that lost its place goes on
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
TARGETS = (
    ("POST", SEARCH),
    ("PUT", f"{ARTIFACTS}/0/fuzz"),
    ("POST", "/nothing/there"),
    ("POST", "/graphql"),
    ("GET", "/version"),
    ("DELETE", "/version"),
)
PIECES = (
    b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x0b", b":", b";", b",", b"0", b"-", b"+", b"\xff",
    b"\r\n ", b"\r\n\r\n", b"chunked", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\r\n chunked\r\n",
    b"transfer-encoding: identity\r\n", b"Content-Length: 0\r\n", b"Content-Length: 7\r\n",
    b"content-length:9\r\n", b"Content-Length : 8\r\n", b"Host: evil.example.com\r\n",
    b"Connection: close\r\n", b"Connection: Upgrade\r\n", b"Upgrade: h2c\r\n", b"Upgrade: websocket\r\n",
    b"Expect: 100-continue\r\n", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"0\r\n\r\n", b"0\r\nHost: evil\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"5;a=b\r\nhello\r\n",
    b"X: y\r\n folded\r\n", b"X y\r\n", b": y\r\n", b"ffffffffffffffff\r\n", b"7fffffffffffffff\r\n",
    b"0x5\r\n", b"5 \r\n",
)  # fmt: skip


@dataclass
class Mutation:
    """What is sent, and the words in it."""

    number: int
    data: bytes
    inner: str
    secret: str
    ends: str  # what the client does after the last byte

    @property
    def canary(self) -> str:
        return f"canary{self.number:06d}"


def mutation(number: int) -> Mutation:
    """Request `number`; nothing but the number decides what it is."""
    dice = random.Random(SEED * 1_000_003 + number)
    inner, secret = f"inner{number:06d}", f"secret{number:06d}"
    method, path = dice.choice(TARGETS)
    start = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {secret}\r\n".encode()
    hidden = http("GET", f"/{inner}", headers={"X-Request-ID": inner})
    framed = dice.choice((_by_length, _by_chunks, _by_chunks_with_trailer))(dice, JUNK + hidden + JUNK)
    head, _, body = framed.partition(b"\r\n\r\n")
    head = start + head + b"\r\n\r\n"
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        if dice.random() < 0.65:
            head = _damaged(dice, head, len(start) - 2)
        else:
            body = _damaged(dice, body, 0, body.find(JUNK))
    return Mutation(
        number, head + body, inner, secret, dice.choice(("waits", "waits", "cut", "half", "reset"))
    )


def _by_length(_dice: random.Random, body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _by_chunks(dice: random.Random, body: bytes) -> bytes:
    extension = dice.choice((b"", b"", b";a=b", b';a="b;c"', b" ;a"))
    return b"Transfer-Encoding: chunked\r\n\r\n%x%b\r\n%b\r\n0\r\n\r\n" % (len(body), extension, body)


def _by_chunks_with_trailer(dice: random.Random, body: bytes) -> bytes:
    name = dice.choice((b"X-Check", b"Authorization", b"Host", b"Content-Length"))
    whole = b"Transfer-Encoding: chunked\r\nTrailer: %b\r\n\r\n%x\r\n%b\r\n0\r\n%b: 5\r\n\r\n"
    return whole % (name, len(body), body, name)


def _damaged(dice: random.Random, data: bytes, first: int, last: int = -1) -> bytes:
    """One change between two places: the framing lies there."""
    at = dice.randint(first, max(first, len(data) if last < 0 else last))
    match dice.randrange(5):
        case 0:
            return data[:at] + dice.choice(PIECES) + data[at:]
        case 1:
            return data[:at] + data[at + dice.choice((1, 1, 2, 4)) :]
        case 2:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 3:
            end = at + dice.randint(1, 30)
            return data[:end] + data[at:end] + data[end:]
        case _:
            numbers = list(re.finditer(rb"\d+", data[first : last if last > 0 else None]))
            if not numbers:
                return data[:at] + b" " + data[at:]
            one = dice.choice(numbers)
            other = str(int(one[0]) + dice.choice((-1, 1, 2, 5, 1 << 31, 1 << 63, 1 << 64))).encode()
            return data[: first + one.start()] + other + data[first + one.end() :]


def shot(server: Server, number: int) -> str:
    """Send one mutation and say what is wrong with the answers."""
    sent = mutation(number)
    with Wire(server.port, timeout=2) as wire:
        cut = random.Random(number).randrange(len(sent.data)) if sent.ends == "cut" else len(sent.data)
        wire.send(sent.data[:cut])
        if sent.ends == "reset":
            wire.reset()
            return ""
        if sent.ends == "waits":
            wire.send(canary(sent.canary, Cookie=f"{sent.canary}secret"))
        else:
            wire.end_of_requests()
        try:
            answers, _ = wire.all(1.5)
        except (Garbage, ValueError) as error:
            return f"no answer of HTTP: {error}"
    for answer in answers:
        if answer.id == sent.inner:
            return f"a body was answered as a request: {answer.status}"
        if answer.id == sent.canary and (
            answer.status != 200 or not re.fullmatch(rb"[\d.a-z]+", answer.body)
        ):
            return f"the canary got another's answer: {answer}"
        if answer.status == 500:
            return f"the server failed: {answer.body[:200]!r}"
    if len(answers) > 1 and answers[0].closes:
        return "an answer followed one that closes the connection"
    return ""


def test_no_byte_of_a_request_is_another_requests(plain: Server, mutations: int) -> None:
    echo = ask(plain, canary("echo"))
    assert echo and echo.id == "echo", "no canary would be recognised"
    workers, before = family(plain), len(plain.log.read_bytes())
    with ThreadPoolExecutor(24) as pool:
        found = {
            n: words for n, words in enumerate(pool.map(lambda n: shot(plain, n), range(mutations))) if words
        }
    log = plain.log.read_bytes()[before:].decode(errors="replace")
    for number in map(int, re.findall(r"(?:inner|secret)(\d{6})", log)):
        found.setdefault(number, "bytes of its body or its head are in the log")
    for number in map(int, re.findall(r"canary(\d{6})secret", log)):
        found.setdefault(number, "bytes of the request behind it are in the log")
    shown = [f"{n}: {words}\n    {mutation(n).data!r}" for n, words in sorted(found.items())]
    counted = Counter(words.partition(":")[0] for words in found.values())
    assert not found, f"{len(found)} of {mutations}: {counted}\n" + "\n".join(shown[:10])
    assert set(family(plain)) >= set(workers), "a worker ended"
    assert served(plain) == []
    counts = b"".join(file.read_bytes() for file in (plain.folder / "metrics").iterdir())
    assert not re.search(rb"inner\d{6}|secret\d{6}|canary\d{6}", counts)
    assert {each.decode() for each in re.findall(rb'"method": "([^"]*)"', counts)} <= METHODS


@pytest.mark.parametrize("number", range(3))
def test_the_same_number_is_the_same_request(number: int) -> None:
    """Or a failure could not be repeated."""
    assert mutation(number) == mutation(number)
