"""Guesses at basic-auth's login are slow, cheap and seen, and do not hinder those who have an account."""

import itertools
import math
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.attacks.logins import ADMIN, LAUNCHERS, SETTINGS, add_account, at_once
from runtime.network import wait_until
from runtime.server import Server

RUNS = "/api/2.0/mlflow/experiments/get?experiment_id=0"  # Flask answers it
FILE = "/api/2.0/mlflow-artifacts/artifacts/0/none.txt"  # FastAPI answers it, with a login of its own
PATHS = pytest.mark.parametrize("path", [RUNS, FILE], ids=["flask", "fastapi"])
ADDRESSES = (f"127.0.{third}.{fourth}" for third in range(7, 255) for fourth in range(1, 255))


@pytest.fixture(scope="module")
def servers(start: Callable[..., Server]) -> Callable[[str], Server]:
    """One of each launcher; it remembers who failed, so that each test has an address of its own."""
    running: dict[str, Server] = {}

    def get(launcher: str) -> Server:
        if launcher not in running:
            settings = {"MLFLOW_KUBERNETES_LAUNCHER": launcher, "MLFLOW_EXPOSE_PROMETHEUS": "metrics"}
            running[launcher] = start(**SETTINGS, **settings).ready()
        return running[launcher]

    return get


class Visitor(requests.Session):
    """A client that asks one server from one address."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self.mount("http://", _From(next(ADDRESSES)))

    def ask(self, who: tuple[str, str], path: str = RUNS) -> requests.Response:
        return self.get(self.server.url + path, auth=who, timeout=120)

    def guess(self, name: str, count: int, path: str = RUNS, word: str = "guess") -> list[int]:
        """What so many different wrong passwords are answered."""
        return [self.ask((name, f"{word} {number}"), path).status_code for number in range(count)]


class _From(requests.adapters.HTTPAdapter):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, source_address=(self.address, 0))


@pytest.fixture(params=LAUNCHERS)
def visitor(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Visitor:
    """Under each launcher."""
    return Visitor(servers(request.param))


NUMBERS = itertools.count()


@pytest.fixture
def account(visitor: Visitor) -> tuple[str, str]:
    """A new account, which has not logged in yet."""
    name = f"account{next(NUMBERS)}"
    add_account(visitor.server, name, f"the long password of {name}")
    return name, f"the long password of {name}"


def admitted(seconds: float) -> int:
    """Guesses that are checked in that time at most: 5, one each after 1 s, 2 s, 4 s, and one under way."""
    return 5 + int(math.log2(seconds + 1)) + 1


@PATHS
def test_guesses_end_and_the_account_does_not(visitor: Visitor, account: tuple[str, str], path: str) -> None:
    name, right = account[0], {RUNS: 200, FILE: 404}
    assert visitor.ask(account, path).status_code == right[path]
    began = time.monotonic()
    answers = visitor.guess(name, 20, path)
    assert answers[:5] == [401] * 5 and set(answers[5:]) <= {401, 429}
    assert answers.count(401) <= admitted(time.monotonic() - began)
    # Both apps count together, and remember together.
    for each in (RUNS, FILE):
        answer = wait_for_refusal(visitor, name, each)
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
        assert [visitor.ask(account, each).status_code for _ in range(3)] == [right[each]] * 3
    time.sleep(int(answer.headers["Retry-After"]) + 0.1)
    assert visitor.ask((name, "at last"), path).status_code == 401
    answer = wait_for_refusal(visitor, name, path)
    assert int(answer.headers["Retry-After"]) >= 2


def wait_for_refusal(visitor: Visitor, name: str, path: str) -> requests.Response:
    """The answer to a guess that is not checked: on a slow machine a wait may have ended before it."""
    for number in range(4):
        answer = visitor.ask((name, f"once more {path} {number}"), path)
        if answer.status_code == 429:
            return answer
    raise AssertionError("four guesses after the limit were all checked")


@PATHS
def test_time_does_not_tell_which_accounts_exist(
    visitor: Visitor, account: tuple[str, str], path: str
) -> None:
    def seconds(name: str, number: int) -> float:
        began = time.monotonic()
        assert visitor.ask((name, f"guess {number}"), path).status_code == 401
        return time.monotonic() - began

    number = next(NUMBERS)
    times = [(seconds(account[0], each), seconds(f"nobody{number}", each)) for each in range(5)]
    # The shortest of each: other work of the machine only makes an answer slower.
    known, unknown = (min(column) for column in zip(*times, strict=True))
    assert 0.5 < unknown / known < 2
    assert 429 in visitor.guess(f"nobody{number}", 10, path, "more"), "an unknown name is slowed as well"


def test_sixteen_strangers_slow_nobody_down(visitor: Visitor, account: tuple[str, str]) -> None:
    """They get a few hashes among them, and the rest of the time no work is done for them."""
    assert visitor.ask(account).ok
    strangers, seen = Visitor(visitor.server), list[int]()
    began = time.monotonic()

    def hammer(number: int) -> None:
        while time.monotonic() < began + 4:
            seen.extend(strangers.guess(account[0], 1, word=f"{number} {time.monotonic()}"))

    with at_once(16, hammer):
        time.sleep(1)
        assert [visitor.ask(account).status_code for _ in range(5)] == [200] * 5
    assert seen.count(401) + seen.count(429) == len(seen) > 16
    assert seen.count(401) <= admitted(time.monotonic() - began)


def test_many_names_from_one_client(visitor: Visitor, account: tuple[str, str]) -> None:
    """Behind an Ingress all clients are that client: a user with an account gets in within seconds."""
    number = next(NUMBERS)
    answers = [visitor.ask((f"name{number}.{each}", "password")).status_code for each in range(60)]
    assert answers[:15] == [401] * 15 and answers.count(429) > 20
    wait_until("a login that is right", lambda: visitor.ask(account).ok, 10)
    assert Visitor(visitor.server).ask((f"name{number}.0", "other")).status_code == 401, "not of this client"


def test_an_old_password_in_a_job_does_not_delay_its_owner(
    visitor: Visitor, account: tuple[str, str]
) -> None:
    answers = [visitor.ask((account[0], "the old password")).status_code for _ in range(20)]
    assert answers[:5] == [401] * 5 and 429 in answers
    assert visitor.ask(account).ok


def test_the_old_password_cannot_be_guessed_either(visitor: Visitor, account: tuple[str, str]) -> None:
    """An open session is asked for the password before it is changed."""
    assert visitor.ask(account).ok
    answers = []
    for number in range(15):
        body = {
            "username": account[0],
            "password": "quite another one",
            "current_password": f"guess {number}",
        }
        url = f"{visitor.server.url}/api/2.0/mlflow/users/update-password"
        answers.append(visitor.patch(url, json=body, auth=account, timeout=60).status_code)
    assert answers[:5] == [400] * 5 and 429 in answers
    assert visitor.ask(account).ok


def test_failures_are_counted(visitor: Visitor, account: tuple[str, str]) -> None:
    before = counts(visitor)
    assert [visitor.ask(("nobody", "guess"), path).status_code for path in (RUNS, FILE)] == [401, 401]
    answers = visitor.guess(account[0], 12)
    expected = {"refused": answers.count(401) + 2, "throttled": answers.count(429)}
    assert 0 not in expected.values()
    wait_until("the counter", lambda: grown(before, counts(visitor)) == expected, 30)


def test_failures_are_logged_without_the_password(visitor: Visitor, account: tuple[str, str]) -> None:
    """One line for each, as far as the flood of the other tests allows."""
    odd = f"odd\nname{next(NUMBERS)} 'x"

    def logged(name: str, pattern: str) -> bool:
        assert visitor.ask((name, f"the secret {next(NUMBERS)}")).status_code in (401, 429)
        log = visitor.server.log.read_text()
        assert "the secret" not in log and "\nname" not in log
        return bool(re.search(rf"mlflow: auth: [-0-9T:]+Z login of {pattern}", log))

    wait_until("the name", lambda: logged(odd, r'"odd\\nname\d+ \'x" from \S+ (refused|throttled)'), 60)
    wait_until("the outcome", lambda: logged(account[0], rf"'{account[0]}' from \S+ throttled"), 60)


def counts(visitor: Visitor) -> dict[str, float]:
    page = requests.get(f"{visitor.server.url}/metrics", auth=ADMIN, timeout=60).text
    found = re.findall(r'^mlflow_failed_logins_total\{reason="(\w+)"\} (\S+)$', page, re.MULTILINE)
    return {reason: float(value) for reason, value in found}


def grown(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {reason: value - before[reason] for reason, value in after.items()}


@PATHS
def test_what_is_no_name_and_password_is_refused(visitor: Visitor, path: str) -> None:
    headers = ["Bearer abc", "Basic", "Basic !", "Basic YQ==", "Digest username=admin", "Basic AAA6AA==", ""]
    for header in headers:
        answer = visitor.get(visitor.server.url + path, headers={"Authorization": header}, timeout=60)
        assert answer.status_code == 401, (header, answer.text)
    assert visitor.ask(ADMIN).ok
