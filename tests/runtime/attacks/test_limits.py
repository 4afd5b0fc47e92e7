"""Who waits for whom at the login, from many clients: in one process, without a server."""

import threading
import time
from typing import Any

import pytest

from runtime.attacks.logins import at_once
from runtime.network import wait_until
from runtime.server import FILES

HERE, THERE = "10.0.0.1", "10.0.0.2"


class Hashes:
    """A hash that is the password in brackets; it counts how often it was computed, and how many at once."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds, self.made, self.now, self.most = seconds, 0, 0, 0
        self.lock = threading.Lock()

    def __call__(self, stored: str, password: str) -> bool:
        with self.lock:
            self.made += 1
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return stored == f"<{password}>"


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The chart's module."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.server import login

    return login


@pytest.fixture
def guard(login: Any) -> Any:
    """The chart's module behind it."""
    from mlflow_kubernetes.server import guard

    return guard


class Door:
    """A guard, its hashes, its clock, and what it reported."""

    def __init__(self, login: Any, seconds: float = 0) -> None:
        self.login, self.hashes, self.now = login, Hashes(seconds), 1000.0
        self.reports: list[tuple[str, str, str]] = []
        self.guard = login.Guard(self.hashes, "<dummy>", lambda *report: self.reports.append(report))
        for table in (self.guard.wrong, self.guard.pairs, self.guard.clients, self.guard.accounts):
            table.clock = lambda: self.now

    def __call__(self, name: str, password: str, client: str = HERE, stored: str | None = "<right>") -> Any:
        """True, False, or the seconds to wait."""
        try:
            return self.guard.login(name, stored, password, client)
        except self.login.Throttled as throttled:
            return throttled.seconds

    def fail(self, count: int, name: str = "anna", client: str = HERE, **more: Any) -> list[Any]:
        """So many wrong passwords, each another one."""
        start = self.hashes.made
        return [self(name, f"wrong {start} {number} {client}", client, **more) for number in range(count)]


@pytest.fixture
def door(login: Any) -> Door:
    return Door(login)


def test_the_wait_doubles_up_to_a_minute(door: Door) -> None:
    assert door.fail(5) == [False] * 5
    waits = []
    for number in range(9):
        wait = door("anna", f"again {number}")
        waits.append(wait)
        assert door("anna", f"too early {number}") == wait
        door.now += wait
        assert door("anna", f"in time {number}") is False
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_what_was_right_is_never_delayed(door: Door) -> None:
    assert door("anna", "right") is True
    door.fail(50)
    made = door.hashes.made
    assert door("anna", "wrong") > 0
    assert [door("anna", "right", client) for client in (HERE, THERE)] == [True, True]
    assert door.hashes.made == made


def test_a_success_ends_the_row(door: Door) -> None:
    door.fail(4)
    assert door("anna", "right") is True
    assert door.fail(5) == [False] * 5


def test_failures_are_forgotten_after_a_quarter_of_an_hour(door: Door) -> None:
    door.fail(5)
    door.now += 901
    assert door.fail(5) == [False] * 5


def test_an_unknown_account_is_treated_alike(door: Door) -> None:
    """Equal answers, and as many hashes, whatever is tried."""
    known = Door(door.login)
    for who in (door, known):
        who.stored = None if who is door else "<right>"  # type: ignore[attr-defined]
    answers = [
        [each("anna", f"guess {number % 40}", stored=each.stored) for number in range(120)]  # type: ignore[attr-defined]
        for each in (door, known)
    ]
    assert answers[0] == answers[1]
    assert door.hashes.made == known.hashes.made
    assert [report[0] for report in door.reports] == [report[0] for report in known.reports]


def test_the_dummy_is_nobodys_password(door: Door) -> None:
    assert door("nobody", "dummy", stored=None) is False


def test_another_client_is_not_delayed(door: Door) -> None:
    door.fail(8)
    assert door("anna", "right", THERE) is True


def test_an_old_password_does_not_delay_the_new_one(door: Door) -> None:
    """A forgotten job that asks each second is slowed itself; its owner comes from the same Ingress."""
    answers = [door("anna", "the old password") for _ in range(10)]
    assert answers[:5] == [False] * 5 and all(answer > 0 for answer in answers[5:])
    assert door.hashes.made == 1
    assert door("anna", "right") is True


def test_many_clients_guess_one_account_slowly_and_its_owner_gets_in(door: Door) -> None:
    """Beyond the account's budget a password is checked after the answer: the next try finds it right."""
    answers = [door("anna", f"guess {n}", f"10.1.0.{n}") for n in range(100)]
    assert answers[:20] == [False] * 20
    assert set(answers[21:]) == {1}
    assert door("anna", "right", THERE) == 1
    wait_until("the check after the answer", lambda: door("anna", "right", THERE) is True, 5)


def test_one_client_tries_many_accounts_slowly_and_others_get_in(door: Door) -> None:
    """As behind an Ingress, where all clients have its address."""
    answers = [door(f"name {n}", "password", stored=None) for n in range(300)]
    assert answers[:20] == [False] * 20
    assert set(answers[21:]) == {1}
    made = door.hashes.made
    assert door("bert", "right", stored="<right>") == 1
    wait_until("the check after the answer", lambda: door("bert", "right", stored="<right>") is True, 5)
    assert made < door.hashes.made <= made + 2
    assert door("carl", "right of carl", THERE, stored="<right of carl>") is True


def test_wrong_guesses_beyond_the_budget_are_answered_alike(door: Door) -> None:
    """Known or not: else 429 or not would say which accounts exist."""
    for n in range(21):
        door(f"name {n}", "password", stored=None)

    def answers(stored: str | None, name: str) -> list[Any]:
        found = []
        for number in range(12):
            found.append(door(name, f"guess {number // 2}", stored=stored))
            wait_until("the check after the answer", lambda: not door.guard.deferred, 5)
        return found

    assert answers(None, "nobody") == answers("<right of anna>", "anna")


def test_budgets_come_back(door: Door) -> None:
    for n in range(60):
        door(f"name {n}", "password", stored=None)
    door.now += 60
    assert [door(f"other {n}", "password", stored=None) for n in range(15)] == [False] * 15


@pytest.mark.parametrize(
    ("client", "others"),
    [
        ("2001:db8:1:2::1", ["2001:db8:1:2:ffff::9", "2001:db8:1:2::2%eth0"]),
        ("10.0.0.1", ["::ffff:10.0.0.1"]),
    ],
)
def test_one_host_has_one_budget(guard: Any, client: str, others: list[str]) -> None:
    assert {guard.network(other) for other in others} == {guard.network(client)}
    assert guard.network("10.0.0.2") != guard.network(client) != guard.network("2001:db8:1:3::1")
    assert len(guard.network("x" * 1000)) == 64


def test_two_hashes_at_a_time(login: Any) -> None:
    """Few wait for one; all the others get an answer at once."""
    door = Door(login, seconds=0.1)
    answers: list[Any] = []
    took: list[float] = []

    def guess(number: int) -> None:
        began = time.monotonic()
        answers.append(door(f"name {number}", "x", f"10.2.0.{number}", stored=None))
        took.append(time.monotonic() - began)

    with at_once(40, guess):
        pass
    assert door.hashes.most == 2
    assert 6 <= answers.count(False) < 15 and answers.count(1) == 40 - answers.count(False)
    assert max(took) < 2


def test_equal_logins_at_once_are_hashed_once(login: Any) -> None:
    """Fifty processes of one job, on a server that has just started."""
    door = Door(login, seconds=0.2)
    answers: list[Any] = []
    with at_once(50, lambda _: answers.append(door("anna", "right"))):
        pass
    assert answers == [True] * 50
    assert door.hashes.made == 1


def test_guesses_at_once_are_no_way_around_the_wait(login: Any) -> None:
    door = Door(login, seconds=0.05)
    with at_once(200, lambda number: door("anna", f"guess {number}")):
        pass
    assert door.hashes.made <= 8


def test_memory_is_bounded_and_holds_no_password(login: Any) -> None:
    door = Door(login)
    door.guard = login.Guard(door.hashes, "<dummy>", lambda *_: None, size=100)
    for number in range(1000):
        door(f"name {number}", "Pa55word", f"10.{number // 250}.0.{number % 250}", stored=None)
        door(f"known {number}", f"Pa55word {number}", stored=f"<Pa55word {number}>")
    guard = door.guard
    counts = [guard.wrong.failures, guard.pairs.failures, guard.clients.levels, guard.accounts.levels]
    tables = [guard.right, *counts]
    assert max(map(len, tables)) == 100
    wait_until("the checks after the answers", lambda: not guard.deferred, 5)
    assert not guard.running
    for table in tables:
        assert "Pa55word" not in repr(list(table.items()))


def test_a_new_stored_hash_starts_from_zero(door: Door) -> None:
    """A new password, on whichever pod it was set."""
    assert door("anna", "right") is True
    door.fail(20)
    assert door("anna", "right", stored="<other>") is False
    assert door("anna", "other", stored="<other>") is True


def test_the_log_is_no_flood(login: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mlflow-kubernetes")
    report = login.FailedLogins()
    report.lines.clock = lambda: report.now
    report.now = 0.0
    for number in range(500):
        report("refused", f"name\n{number}" + "x" * 500, HERE)
    report.now = 60.0
    report("throttled", "anna", "")
    lines = [record.getMessage() for record in caplog.records if record.name == "mlflow-kubernetes.auth"]
    assert len(lines) == 21
    assert r"login of 'name\n0" in lines[0] and lines[0].endswith("' from 10.0.0.1 refused.")
    assert len(lines[0]) < 200
    assert lines[-1].endswith("login of 'anna' from an unknown address throttled; 480 more were not logged.")
