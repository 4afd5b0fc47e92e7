"""Through a real proxy no user gets another's answer, and no account another's request."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.attacks import proxies
from runtime.attacks.conftest import BOB, BODY
from runtime.attacks.observe import served
from runtime.attacks.wire import ARTIFACTS, JSON, SEARCH, Answer, Garbage, Wire, ask, chunk, http
from runtime.basic_auth import ADMIN
from runtime.server import Server

ME = "/api/2.0/mlflow/users/current"


@pytest.fixture(params=["go", "traefik"])
def proxy(request: pytest.FixtureRequest, login: Server, tmp_path: Path) -> Iterator[proxies.Proxy]:
    made = {"go": proxies.go, "traefik": proxies.traefik}[request.param](tmp_path, login.port)
    yield made
    made.stop()


class Victims:
    """Users who ask through the proxy, each for what only they get, until the attack is over."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.over = threading.Event()
        self.asked = 0

    def _ask(self, user: int) -> list[str]:
        wrong: list[str] = []
        number = 0
        while not self.over.is_set() or number < 20:
            number += 1
            name = f"victim{user}-{number}"
            sent = http("GET", ME, headers={"X-Request-ID": name, "Connection": "close"}, account=ADMIN)
            try:
                with Wire(self.port, timeout=30) as wire:
                    wire.send(sent)
                    answer = wire.final()
            except (OSError, Garbage) as error:
                wrong.append(f"{name}: {error!r}")
                continue
            if answer is None or (answer.status, answer.id) != (200, name) or b'"admin"' not in answer.body:
                wrong.append(f"{name}: {answer}")
            self.asked += 1
        return wrong

    def during(self, attack: object) -> list[str]:
        with ThreadPoolExecutor(3) as pool:
            found = [pool.submit(self._ask, user) for user in range(3)]
            try:
                attack()  # type: ignore[operator]
            finally:
                self.over.set()
            return [words for each in found for words in each.result()]


def store(length: int) -> bytes:
    """A request of an account that may not, whose body would be what comes next on the connection."""
    return http("PUT", f"{ARTIFACTS}/0/stolen", headers={"Content-Length": str(length)}, account=BOB)


def nothing_was_taken(server: Server) -> None:
    stolen = [file for file in (server.folder / "artifacts").rglob("*") if "stolen" in file.name]
    assert stolen == []
    log = server.log.read_text()
    assert "Authorization" not in log and "YWRtaW46" not in log
    assert served(server, ADMIN, rounds=1) == []


REFUSED = [("POST", SEARCH, None), ("PUT", f"{ARTIFACTS}/0/a", BOB), ("POST", "/nothing/there", ADMIN)]


def test_a_broken_chunk(proxy: proxies.Proxy, login: Server) -> None:
    def attack() -> None:
        for number in range(30):
            method, path, account = REFUSED[number % 3]
            head = http(method, path, headers={"Transfer-Encoding": "chunked"}, account=account)
            with Wire(proxy.port) as wire:
                wire.send(
                    head + chunk(b"hello") + (b"ZZZ\r\n", b"5\r\nhello!!", b"-1\r\n")[number % 3] + store(400)
                )
                wire.all(0.05)

    assert Victims(proxy.port).during(attack) == []
    nothing_was_taken(login)


def test_a_stalled_body(proxy: proxies.Proxy, login: Server) -> None:
    """The rest comes just before, just when and just after the server gives up and answers.

    Go's proxies hold an answer back until the client has sent its body, so the attacker has to guess the
    time.
    """
    hidden = store(400)
    tries = [(target, pause) for target in REFUSED for pause in _pauses()]

    def one(target: tuple[str, str, tuple[str, str] | None], pause: float) -> None:
        method, path, account = target
        length = {"Content-Length": str(100 + len(hidden))}
        with Wire(proxy.port) as wire:
            wire.send(http(method, path, headers=length, account=account) + b"a" * 100)
            time.sleep(pause)
            wire.send(hidden)
            wire.all(0.3)

    def attack() -> None:
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda each: one(*each), tries))

    assert Victims(proxy.port).during(attack) == []
    nothing_was_taken(login)


def _pauses() -> list[float]:
    """Around the 3 s that a refusal waits for its body, and around the end of a body's time."""
    return [2.9, 2.98, 3.0, 3.01, 3.03, 3.06, 3.1, 3.3, BODY - 0.05, BODY + 0.05, BODY + 0.5, BODY + 1.2]


def test_clients_that_leave(proxy: proxies.Proxy, login: Server) -> None:
    """Their connection to the server is another user's next."""

    def attack() -> None:
        for number in range(40):
            method, path, account = REFUSED[number % 3]
            with Wire(proxy.port) as wire:
                wire.send(
                    http(method, path, headers={"Content-Length": "5000"}, account=account) + b"a" * number
                )
                time.sleep(0.02 * (number % 4))
                wire.reset()

    assert Victims(proxy.port).during(attack) == []
    nothing_was_taken(login)


def test_expectations_and_upgrades(proxy: proxies.Proxy, login: Server) -> None:
    def attack() -> None:
        for number in range(20):
            method, path, account = REFUSED[number % 3]
            more = (
                {"Expect": "100-continue"},
                {
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                },
                {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"},
            )[number % 3]
            with Wire(proxy.port) as wire:
                wire.send(http(method, path, store(400), more, account))
                wire.all(0.2)

    assert Victims(proxy.port).during(attack) == []
    nothing_was_taken(login)


def test_refusals_reach_slow_clients(proxy: proxies.Proxy) -> None:
    """Go cuts off an answer that comes while it still sends: 4 of 100, without the wait for the rest."""
    body = b'{"max_results": 1}'

    def one(number: int) -> Answer | None:
        method, path, account = (("POST", SEARCH, None), ("PUT", f"{ARTIFACTS}/0/a", BOB))[number % 2]
        with Wire(proxy.port, timeout=30) as wire:
            wire.send(http(method, path, headers=JSON | {"Content-Length": str(len(body))}, account=account))
            time.sleep(0.01 * (number % 10))
            wire.send(body)
            return wire.final()

    with ThreadPoolExecutor(8) as pool:
        found = [answer and answer.status for answer in pool.map(one, range(100))]
    assert found == [401, 403] * 50


def test_what_is_stored_through_it_is_whole(proxy: proxies.Proxy, login: Server) -> None:
    content = b"%08d" * 100_000 % tuple(range(100_000))
    for name, sent in {
        "length": http("PUT", f"{ARTIFACTS}/0/through", content, account=ADMIN),
        "chunks": http(
            "PUT", f"{ARTIFACTS}/0/through", headers={"Transfer-Encoding": "chunked"}, account=ADMIN
        )
        + chunk(content)
        + b"0\r\n\r\n",
    }.items():
        with Wire(proxy.port) as wire:
            wire.send(sent)
            answer = wire.final()
        assert answer and answer.status == 200, name
        stored = ask(login, http("GET", f"{ARTIFACTS}/0/through", account=ADMIN))
        assert stored and stored.body == content
