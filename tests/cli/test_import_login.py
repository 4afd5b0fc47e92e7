"""`mlflowops import` from a server: that server never gets the login of the target."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
import requests
from mlflow import MlflowClient
from mlflowops.importer.login import Login

from cli import compare, laptop
from cli.cli import Cli
from cli.conftest import running_server

TARGET, SOURCE = "https://new.example/mlflow", "https://old.example"


class Recorded:
    """A server that notes each request, and answers `code` to all but /health."""

    def __init__(self, code: int, location: str = "") -> None:
        self.seen: list[tuple[str, str | None]] = []
        recorded = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                recorded.seen.append((self.path, self.headers.get("Authorization")))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200 if self.path == "/health" else code)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def recorded(code: int, location: str = "") -> Iterator[Recorded]:
    """Run such a server."""
    found = Recorded(code, location)
    Thread(target=found.server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_TOKEN"])
def test_the_source_gets_no_login_of_the_target(
    cli: Cli, server: MlflowClient, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret of the target")
    with recorded(401) as source:
        answer = cli("import", source.url)
        assert answer.code == 2
        assert "MLFLOWOPS_SOURCE_USERNAME" in answer.err
        assert len(source.seen) > 1
        assert {login for _, login in source.seen} == {None}
        monkeypatch.setenv("MLFLOWOPS_SOURCE_TOKEN", "of the source")
        source.seen.clear()
        cli("import", source.url)
        assert {login for _, login in source.seen} == {"Bearer of the source"}


def test_the_credentials_file_is_not_for_the_source(
    cli: Cli, server: MlflowClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".mlflow").mkdir()
    login = "[mlflow]\nmlflow_tracking_username = admin\nmlflow_tracking_password = secret\n"
    (tmp_path / ".mlflow" / "credentials").write_text(login)
    with recorded(401) as source:
        cli("import", source.url)
        assert {login for _, login in source.seen} == {None}


def test_a_source_redirects_nobody(cli: Cli, server: MlflowClient) -> None:
    with recorded(200) as inside, recorded(302, f"{inside.url}/latest/meta-data") as source:
        assert cli("import", source.url).code == 2
        assert source.seen
        assert not inside.seen


def test_a_server_is_imported_with_both_logins(
    cli: Cli, server: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"logins-{uuid4().hex[:6]}"
    with running_server(tmp_path) as address:
        there = MlflowClient(address)
        run = there.create_run(there.create_experiment(name), laptop.START, {}, "one").info.run_id
        there.log_text(run, "hello", "file.txt")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "of the target")
        monkeypatch.setenv("MLFLOWOPS_SOURCE_TOKEN", "of the source")
        answer = cli("import", address)
        assert answer.code == 0, answer.err
    assert compare.files(server, compare.runs(server, name)["one"], tmp_path) == {"file.txt": b"hello"}


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://new.example/mlflow/api", "target"),
        ("https://new.example:443/mlflow", "target"),
        ("https://old.example/api", "source"),
        ("https://old.example:443/api", "source"),
        ("https://new.example/other/api", None),
        ("https://new.example/mlflow-2/api", None),
        ("http://new.example/mlflow/api", None),
        ("https://new.example:8443/mlflow/api", None),
        ("https://new.example.evil/mlflow/api", None),
        ("https://evil/mlflow/api", None),
        ("https://new.example@evil/mlflow/api", None),
    ],
)
def test_each_server_gets_its_own_login(monkeypatch: pytest.MonkeyPatch, url: str, login: str | None) -> None:
    monkeypatch.setenv("MLFLOWOPS_SOURCE_TOKEN", "source")
    request = requests.Request("GET", url, headers={"Authorization": "Bearer target"}).prepare()
    Login(SOURCE, TARGET, None)(request)
    assert request.headers.get("Authorization") == (login and f"Bearer {login}")


def test_servers_of_one_host_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOWOPS_SOURCE_TOKEN", "source")
    for source, target in (("https://h/", "https://h/new"), ("https://h/old", "https://h/")):
        for url, login in ((f"{source.rstrip('/')}/api", "source"), (f"{target.rstrip('/')}/api", "target")):
            request = requests.Request("GET", url, headers={"Authorization": "Bearer target"}).prepare()
            Login(source, target, None)(request)
            assert request.headers["Authorization"] == f"Bearer {login}"
