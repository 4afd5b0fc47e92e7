"""The server's log: its form, its requests, their ids, and what must not be in it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.network import wait_until
from runtime.server import Server

ASK = "/api/2.0/mlflow/experiments/get?experiment_id=0"
PATH = ASK.partition("?")[0]
ACCESS = "mlflow.access"


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """A server that writes JSON, and a line for each request."""
    return start(
        MLFLOW_BACKEND_STORE_URI="sqlite:///mlflow.db",
        MLFLOW_KUBERNETES_LOG_FORMAT="json",
        MLFLOW_KUBERNETES_ACCESS_LOG="true",
    ).ready()


def lines(server: Server) -> list[dict[str, Any]]:
    """The log; a line that is not JSON fails the test."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def of(server: Server, request_id: str, logger: str = ACCESS) -> dict[str, Any]:
    """The line that a request caused, as soon as it is there."""

    def found() -> list[dict[str, Any]]:
        return [
            line for line in lines(server) if (line["logger"], line.get("request_id")) == (logger, request_id)
        ]

    wait_until(f"a line of {request_id}", lambda: bool(found()))
    (line,) = found()
    return line


def ask(server: Server, path: str = ASK, **headers: str) -> requests.Response:
    return requests.get(server.url + path, headers=headers, timeout=60)


def test_every_line_is_json(server: Server) -> None:
    ask(server, "/nothing/there")
    assert len(lines(server)) > 3
    for line in lines(server):
        assert line.keys() >= {"time", "level", "logger", "message"}, line
        assert line["time"].endswith("Z") and line["level"].isupper()


def test_an_id_is_taken(server: Server) -> None:
    answer = ask(server, **{"X-Request-ID": "trace-00.7"})
    assert answer.headers["X-Request-ID"] == "trace-00.7"
    line = of(server, "trace-00.7")
    assert (line["method"], line["path"], line["status"]) == ("GET", PATH, 200)
    assert line["bytes"] == len(answer.content)
    assert line["milliseconds"] >= 0 and line["client"] == "127.0.0.1"


@pytest.mark.parametrize("given", [None, 'a" "status": 200', "x" * 129, ""])
def test_an_id_is_made_where_there_is_none_that_is_safe(server: Server, given: str | None) -> None:
    answer = ask(server, **({} if given is None else {"X-Request-ID": given}))
    made = answer.headers["X-Request-ID"]
    assert len(made) == 32 and made != given
    assert of(server, made)["path"] == PATH


def test_the_other_app_has_ids_too(server: Server) -> None:
    """FastAPI's routes run in another thread."""
    path = "/api/2.0/mlflow-artifacts/artifacts/0/note.txt"
    headers = {"X-Request-ID": "native-1"}
    answer = requests.put(server.url + path, data="words", headers=headers, timeout=60)
    assert answer.headers["X-Request-ID"] == "native-1"
    assert (of(server, "native-1")["method"], of(server, "native-1")["path"]) == ("PUT", path)


def test_what_a_library_writes_has_the_id(server: Server) -> None:
    answer = ask(server, **{"X-Request-ID": "evil-1", "Host": "evil.example.com"})
    assert answer.status_code == 403
    warning = of(server, "evil-1", _security_logger(server))
    assert warning["level"] == "WARNING" and "evil.example.com" in warning["message"]


def _security_logger(server: Server) -> str:
    """Whichever module of MLflow refuses hosts."""
    loggers = {line["logger"] for line in lines(server) if "evil.example.com" in line["message"]}
    (logger,) = loggers - {ACCESS}
    return logger


def test_probes_and_secrets_are_not_written(server: Server) -> None:
    ask(server, "/health")
    secret = {
        "Authorization": "Bearer sesame-header",
        "Cookie": "session=sesame-cookie",
        "X-Request-ID": "s-1",
    }
    requests.post(f"{server.url}{PATH}?token=sesame-query", data="sesame-body", headers=secret, timeout=60)
    of(server, "s-1")
    assert "sesame" not in server.log.read_text()
    assert not [line for line in lines(server) if line.get("path") == "/health"]


@pytest.mark.parametrize("access", ["true", "false"])
def test_text(start: Callable[..., Server], access: str) -> None:
    settings = {"MLFLOW_BACKEND_STORE_URI": "sqlite:///mlflow.db", "MLFLOW_KUBERNETES_ACCESS_LOG": access}
    server = start(**settings).ready()
    answer = ask(server, **{"X-Request-ID": "text-1"})
    assert answer.headers["X-Request-ID"] == "text-1"
    server.stop()
    found = [line for line in server.log.read_text().splitlines() if "text-1" in line]
    assert len(found) == (1 if access == "true" else 0)
    assert all(f"GET '{PATH}' 200 " in line for line in found)
