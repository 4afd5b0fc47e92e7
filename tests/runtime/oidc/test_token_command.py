"""`mlflowops token` against the plugin's own API."""

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cli.cli import Answer, Cli

from runtime.network import wait_until
from runtime.oidc.conftest import Site
from runtime.oidc.people import browser, call, log_in
from runtime.oidc.test_oidc import ANNA, OLGA
from runtime.server import Server

Command = Callable[..., Answer]


@pytest.fixture
def token(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, logged in as Anna by a token of the provider."""
    for name in (ANNA, OLGA):
        log_in(browser(), site.server, name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", site.other.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", site.provider.token(ANNA))
    command = Cli(capsys, monkeypatch)
    return lambda *words: command("token", *words)


def logs_in(site: Site, name: str, token: str) -> bool:
    return call(browser(), site.server, "GET", "users/current", auth=(name, token)).ok


def test_a_token_is_printed_once_and_revoked(site: Site, token: Command) -> None:
    made = token("create", "printed", "--days", "1")
    assert made.code == 0, made.err
    (value,) = made.out.split()
    assert "token printed of anna@example.com, until" in made.err and value not in made.err
    assert logs_in(site, ANNA, value)
    (listed,) = [each for each in token("list", "-o", "json").data if each["name"] == "printed"]
    assert value not in json.dumps(listed) and listed["expires_at"]
    assert "printed" in token("list").out
    assert token("revoke", "printed").out == "revoked: printed\n"
    assert not logs_in(site, ANNA, value)
    assert "token printed: there is no such token" in token("revoke", "printed").err


def test_a_token_is_rotated_under_load(site: Site, token: Command, tmp_path: Path) -> None:
    """Writers read the token from a file for each request: none is refused, and each write is kept."""
    current, renewed, stop = tmp_path / "token", tmp_path / "renewed", Event()
    current.write_text(token("create", "rotated-1").out.strip())
    first = current.read_text()
    run_id = own_run(site, first)
    written: list[Counter[str]] = [Counter() for _ in range(4)]  # of each writer, by the token
    statuses: list[int] = []

    def write(server: Server, count: Counter[str]) -> None:
        session = browser()
        while not stop.is_set():
            value = current.read_text()
            point = {"run_id": run_id, "key": "m", "value": 1, "timestamp": time.time_ns()}
            session.cookies.clear()  # each request logs in
            answer = call(session, server, "POST", "runs/log-metric", json=point, auth=(ANNA, value))
            statuses.append(answer.status_code)
            count[value] += 1

    def all_wrote(value: str, times: int) -> None:
        wait_until("writes", lambda: all(count[value] >= times for count in written), 120)

    with ThreadPoolExecutor(4) as pool:
        for server, count in zip((site.server, site.other) * 2, written, strict=True):
            pool.submit(write, server, count)
        try:
            all_wrote(first, 10)
            second = token("create", "rotated-2").out.strip()
            renewed.write_text(second)
            renewed.rename(current)
            all_wrote(second, 10)  # so the first is in no request that is on its way
            assert token("revoke", "rotated-1").code == 0
            all_wrote(second, max(count[second] for count in written) + 10)
        finally:
            stop.set()
    assert set(statuses) == {200} and not logs_in(site, ANNA, first)
    path = f"metrics/get-history?run_id={run_id}&metric_key=m&max_results=25000"
    kept = call(browser(), site.server, "GET", path, auth=(ANNA, second)).json()["metrics"]
    assert len(kept) == len(statuses) == sum(count.total() for count in written)


def own_run(site: Site, token: str) -> str:
    """A new run of Anna's."""
    body = {"name": f"blue-rotated-{site.server.port}"}
    made = call(browser(), site.other, "POST", "experiments/create", json=body, auth=(ANNA, token))
    body = {"experiment_id": made.json()["experiment_id"]}
    run = call(browser(), site.other, "POST", "runs/create", json=body, auth=(ANNA, token)).json()["run"]
    return str(run["info"]["run_id"])


def test_a_token_is_made_for_another_account_by_an_administrator_only(
    site: Site, token: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = token("create", "of-another", "--account", OLGA)
    assert (refused.code, refused.out) == (2, "")
    assert "log in as an administrator, or leave --account out" in refused.err
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", site.provider.token(OLGA))
    made = token("create", "of-another", "--account", ANNA, "-o", "json")
    assert made.data["account"] == ANNA and logs_in(site, ANNA, made.data["token"])
    assert token("revoke", str(made.data["id"]), "--account", ANNA).code == 0
    assert not logs_in(site, ANNA, made.data["token"])


def test_a_token_cannot_make_another_one(site: Site, token: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    value = token("create", "parent").out.strip()
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ANNA)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", value)
    answer = token("create", "child")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(
        "mlflowops: token: a personal token or service account cannot make tokens; "
        "set MLFLOW_TRACKING_TOKEN to a token of the provider, without MLFLOW_TRACKING_USERNAME."
    )
    assert token("revoke", "parent").code == 0  # it may give itself up


@pytest.mark.parametrize("secret", [[], ["--secret", "mlflow-token"]], ids=["printed", "to a Secret"])
def test_a_wrong_login_makes_nothing(
    site: Site, token: Command, monkeypatch: pytest.MonkeyPatch, secret: list[str], tmp_path: Any
) -> None:
    before = [each["name"] for each in token("list", "-o", "json").data]
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    if not secret:
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "wrong")
    answer = token("create", "never", *secret)
    assert answer.code == 2 and answer.err.startswith("mlflowops: ") and not answer.out
    assert ("the server refuses the login" if not secret else "kubeconfig") in answer.err
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", site.provider.token(ANNA))
    assert [each["name"] for each in token("list", "-o", "json").data] == before
