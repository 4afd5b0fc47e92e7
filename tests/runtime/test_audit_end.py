"""Where the lines of the audit log go, and what happens when they cannot go there."""

import itertools
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from runtime.audit_lines import Line, audit_lines
from runtime.network import wait_until
from runtime.server import Server

PATH = "/api/2.0/mlflow/runs/create"
FULL = "/dev/full"
Start = Callable[..., Server]


@pytest.fixture(scope="module")
def begin(start: Start) -> Start:
    """Starts a server without a login, with an audit log and the rest."""

    def begin_one(file: str, **more: str) -> Server:
        env = {"MLFLOW_KUBERNETES_AUDIT": "true", "MLFLOW_KUBERNETES_AUDIT_FILE": file, **more}
        return start(MLFLOW_BACKEND_STORE_URI="sqlite:///mlflow.db", **env).ready()

    return begin_one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file is."""
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def server(begin: Start, folder: Path) -> Server:
    """A server that writes into a file, and believes proxies of a network."""
    return begin(f"{folder}/log", MLFLOW_KUBERNETES_AUDIT_PROXIES="127.0.0.0/8, 10.0.0.0/8, x")


def write(server: Server, number: int = 1, **headers: str) -> None:
    """Send calls that change something; each is answered."""
    with requests.Session() as session:
        for _ in range(number):
            body = {"experiment_id": "0"}
            assert session.post(server.url + PATH, json=body, headers=headers, timeout=60).ok


def lines(file: Path, count: int) -> list[Line]:
    """All lines of a file, as soon as there are so many."""
    wait_until(f"{count} lines", lambda: file.exists() and len(audit_lines(file.read_text())) >= count, 60)
    return audit_lines(file.read_text())


def test_a_file_is_appended_to_and_opened_again(server: Server, folder: Path) -> None:
    file, written = folder / "log", 2
    write(server, written)
    found = lines(file, written)
    assert all((each["user"], each["login"], each["result"]) == ("", "", "ok") for each in found)
    assert file.stat().st_mode & 0o777 == 0o640
    assert audit_lines(server.log.read_text()) == []
    file.rename(folder / "old")

    def is_new() -> bool:
        nonlocal written
        write(server)
        written += 1
        return file.exists()

    wait_until("a new file", is_new, 60)  # the old one gets lines for up to a second
    count = len(audit_lines((folder / "old").read_text()))
    write(server)
    # All of them: one that came later would be taken for that of the next test.
    assert len(lines(file, written + 1 - count)) == written + 1 - count
    assert len(audit_lines((folder / "old").read_text())) == count


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("evil, 192.0.2.7", "192.0.2.7"),
        ("198.51.100.1, 192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("192.0.2.7:51000", "192.0.2.7"),
        ("[2001:db8::7]:51000", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("10.1.2.3", "10.1.2.3"),
        ('192.0.2.7, x"y', "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_client_behind_proxies(server: Server, folder: Path, forwarded: str, client: str) -> None:
    before = len(lines(folder / "log", 0))
    write(server, **{"X-Forwarded-For": forwarded})
    assert lines(folder / "log", before + 1)[-1]["client"] == client


def test_a_network_that_is_none_is_said(server: Server) -> None:
    assert "'x' of mlflow.audit.trustedProxies is no network; it is ignored." in server.log.read_text()


def test_a_proxy_that_is_not_trusted_is_the_client(begin: Start) -> None:
    server = begin("", MLFLOW_KUBERNETES_AUDIT_PROXIES="10.0.0.0/8")
    write(server, **{"X-Forwarded-For": "192.0.2.7"})
    assert lines(server.log, 1)[0]["client"] == "127.0.0.1"


@pytest.fixture
def blocked(folder: Path) -> Iterator[Path]:
    """A pipe that nothing reads."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    yield pipe
    pipe.unlink()


def test_no_call_waits_for_the_log(begin: Start, blocked: Path) -> None:
    server = begin(str(blocked))
    write(server, 400)
    found: list[str] = []

    def read() -> None:
        with blocked.open() as file:
            found.extend(itertools.islice(file, 400))

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(60)
    assert len(audit_lines("".join(found))) == 400


def test_lines_that_are_lost_are_counted(begin: Start) -> None:
    server = begin(FULL, MLFLOW_EXPOSE_PROMETHEUS="metrics")
    write(server, 3)

    def lost() -> float:
        page = requests.get(f"{server.url}/metrics", timeout=60).text
        found = re.search(r"^mlflow_audit_lost_lines_total (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0

    wait_until("3 lost lines", lambda: lost() == 3, 60)
    said = "mlflow: audit: 1 lines of the audit log could not be written: [Errno 28] No space left on device."
    wait_until("a warning", lambda: said in server.log.read_text(), 60)
    assert server.log.read_text().count("audit log could not be written") == 1


def test_the_last_lines_are_written(begin: Start) -> None:
    server = begin("")
    write(server, 50)
    assert server.stop() == 0
    assert len(audit_lines(server.log.read_text())) == 50


def test_off(begin: Start) -> None:
    server = begin("", MLFLOW_KUBERNETES_AUDIT="false")
    write(server)
    assert server.stop() == 0
    assert audit_lines(server.log.read_text()) == []
