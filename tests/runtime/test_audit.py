"""The audit log: each call that changes something or is denied has a line, and no other call has one."""

import base64
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.audit_lines import DENIED, PAGE, READING, Line, audit_lines, by_id, writes
from runtime.basic_auth import ADMIN
from runtime.basic_auth import settings as login
from runtime.belongings import ANNA, BERT, MARK, Keeper, keep
from runtime.network import wait_until
from runtime.routes import Route, installed_routes
from runtime.server import Server
from runtime.test_routes import body
from runtime.test_two_accounts import GATEWAY

SETTINGS = {"MLFLOW_KUBERNETES_AUDIT": "true", "MLFLOW_KUBERNETES_APP_NAME": "basic-auth", **GATEWAY}
# What bert's calls hold, beside names.
CONTENT = ("text", "tag", "description", "param", "prompt", "file", "source", "rationale", "value", "key")
# Ends of routes that `keep` calls.
BERTS = (
    "runs/create", "runs/log-batch", "logged-models", "registered-models/create", "model-versions/create",
    "traces", "datasets/create", "gateway/secrets/create", "mcp-servers",
)  # fmt: skip
ADMINS = ("users/create", "webhooks", "roles/create")
API = "/api/2.0/mlflow"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A login whose accounts have no permissions but those on what they make."""
    return login(tmp_path_factory.mktemp("login"), "NO_PERMISSIONS")


@pytest.fixture(scope="module", params=["direct", "upstream", "without fast paths"])
def server(
    request: pytest.FixtureRequest,
    start: Callable[..., Server],
    ready_database: Callable[[], dict[str, str]],
    settings: dict[str, str],
) -> Server:
    """One with PostgreSQL, in each way to start it."""
    launcher = "upstream" if request.param == "upstream" else "direct"
    fast = str(request.param == "direct").lower()
    env = {"MLFLOW_KUBERNETES_LAUNCHER": launcher, "MLFLOW_KUBERNETES_FAST_PATHS": fast}
    return start(**env, **SETTINGS, **settings, **ready_database()).ready()


@pytest.fixture(scope="module")
def keepers(server: Server) -> tuple[Keeper, Keeper]:
    """Anna, who may do nothing with what bert keeps, and bert."""
    return keep(server)


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> list[Route]:
    """Those that do something, each in one of its spellings."""
    found = installed_routes(tmp_path_factory.mktemp("routes"), **settings)
    one = {(each.method, each.path.replace("ajax-api", "api")): each for each in found}
    return [each for each in one.values() if each.method not in ("HEAD", "OPTIONS")]


def call(keeper: Keeper, method: str, path: str, **more: Any) -> tuple[str, requests.Response]:
    """Send a call under a request id of its own."""
    request_id = f"audit-{next(NUMBERS)}"
    headers = {"X-Request-ID": request_id, **more.pop("headers", {})}
    return request_id, keeper.send(method, path, headers=headers, **more)


def line_of(server: Server, keeper: Keeper, method: str, path: str, **more: Any) -> Line:
    """The only line of a call."""
    request_id, _ = call(keeper, method, path, **more)
    (line,) = by_id(server, request_id)[request_id]
    return line


def test_each_route(server: Server, keepers: tuple[Keeper, Keeper], routes: list[Route]) -> None:
    """As anna: what changes something has one line, what is denied has one, what reads has none."""
    anna, sent = keepers[0], {}
    for route in routes:
        request_id, answer = call(anna, route.method, route.path, json=body(route))
        logged = answer.status_code in DENIED or writes(route.method, route.template)
        sent[request_id] = (route, answer.status_code, logged)
    lines, wrong = by_id(server, *(each for each, (_, _, logged) in sent.items() if logged)), []
    for request_id, (route, status, logged) in sent.items():
        found = [(each["method"], each["route"], each["status"]) for each in lines.get(request_id, [])]
        if found != [(route.method, route.template, status)] * logged:
            wrong.append(f"{route} {status}: {found}")
    assert wrong == []
    assert len(sent) > 250 and sum(status in DENIED for _, status, _ in sent.values()) > 50


def test_the_page_lists_the_routes_that_only_read(routes: list[Route]) -> None:
    posts = [each.template for each in routes if each.method == "POST"]
    assert len(READING) > 10
    for reading in READING:
        assert any(each.endswith(reading) for each in posts), reading


def test_what_was_written(server: Server, keepers: tuple[Keeper, Keeper]) -> None:
    """By all three accounts, on the way to what they keep: every kind of object, with its account."""
    bert = keepers[1]
    wanted = {("bert", end) for end in BERTS} | {(ADMIN[0], end) for end in ADMINS}

    def done() -> list[Line]:
        return [each for each in audit_lines(server.log.read_text()) if each["result"] == "ok"]

    def missing() -> set[tuple[str, str]]:
        return wanted - {(each["user"], each["route"].rpartition("mlflow/")[2]) for each in done()}

    wait_until("lines of bert and of the administrator", lambda: not missing(), 60)
    assert {each["login"] for each in done()} == {"basic"}
    artifacts = [each for each in done() if "mlflow-artifacts" in each["route"] and each["user"] == "bert"]
    assert {each["method"] for each in artifacts} == {"PUT"}
    assert any(bert.ids["berts-run"] in each["object"]["artifact_path"] for each in artifacts)
    trace = {"trace_id": bert.ids["berts-trace"], "experiment_id": bert.ids["berts-experiment-id"]}
    objects = [each["object"] for each in done()]
    for expected in (trace, {"username": "anna"}, {"name": "org.example/berts"}):
        assert expected in objects, expected


def test_no_content_and_no_secret(server: Server, keepers: tuple[Keeper, Keeper]) -> None:
    call(keepers[0], "POST", f"{API}/users/update-password", json={"username": "bert", "password": BERT[1]})
    last, _ = call(keepers[1], "POST", f"{API}/runs/create", json={})
    by_id(server, last)
    text = "\n".join(json.dumps(each) for each in audit_lines(server.log.read_text()))
    hidden = [f"{MARK}-{each}" for each in CONTENT]
    for name, password in (ADMIN, ANNA, BERT):
        hidden += [password, base64.b64encode(f"{name}:{password}".encode()).decode()]
    assert [each for each in hidden if each in text] == []
    assert MARK not in re.sub(r'"(?:name|secret_name|artifact_path)": "[^"]*"', "", text)


def test_denied_reads(server: Server, keepers: tuple[Keeper, Keeper]) -> None:
    anna, bert = keepers
    run = bert.ids["berts-run"]
    path = f"{API}/runs/get?run_id={run}"
    line = line_of(server, anna, "GET", path)
    assert (line["user"], line["login"], line["status"], line["result"]) == ("anna", "basic", 403, "denied")
    assert (line["route"], line["object"], line["client"]) == (
        f"{API}/runs/get",
        {"run_id": run},
        "127.0.0.1",
    )
    for who in (("bert", "a wrong password"), ("x", "y")):
        line = line_of(server, anna, "GET", path, auth=who)
        assert (line["user"], line["login"], line["status"], line["result"]) == ("", "", 401, "denied")
    line = line_of(server, anna, "GET", path, headers={"Host": "evil.example.com"})
    assert (line["user"], line["route"], line["status"]) == ("", f"{API}/runs/get", 403)
    native = f"/api/2.0/mlflow-artifacts/artifacts/{bert.ids['berts-experiment-id']}/{run}/artifacts/note.txt"
    line = line_of(server, anna, "GET", native)
    assert (line["user"], line["login"], line["status"]) == ("anna", "basic", 403)
    assert line["object"] == {"artifact_path": native.partition("/artifacts/")[2]}


def test_graphql_denies_with_200(server: Server, keepers: tuple[Keeper, Keeper]) -> None:
    anna, bert = keepers
    query = '{mlflowGetRun(input: {runId: "%s"}) {run {info {runName}}}}' % bert.ids["berts-run"]  # noqa: UP031
    line = line_of(server, anna, "POST", "/graphql", json={"query": query})
    assert (line["user"], line["status"], line["result"]) == ("anna", 200, "denied")
    request_id, answer = call(bert, "POST", "/graphql", json={"query": query})
    last, _ = call(bert, "POST", f"{API}/runs/create", json={})
    assert MARK in answer.text and request_id not in by_id(server, last)


@pytest.mark.parametrize(
    "name",
    ["two\nlines", 'a", "user": "admin', "\u2028\u0085\x1b[2J", "𝄞" * 300, "x" * 100_000, "\ud800"],
    ids=["newline", "quotes", "control", "long unicode", "long", "surrogate"],
)
def test_hostile_names(server: Server, keepers: tuple[Keeper, Keeper], name: str) -> None:
    body = json.dumps({"name": name, "run_id": [name] * 50, "experiment_id": name, "alias": name})
    headers = {"Content-Type": "application/json"}
    path = f"{API}/registered-models/create"
    line = line_of(server, keepers[0], "POST", path, data=body, headers=headers)
    assert (line["user"], line["route"]) == ("anna", path)
    assert line["object"]["name"] == (name if len(name) < 100 else f"{name[: 50 if name > 'y' else 250]}...")
    for text in server.log.read_text().splitlines():
        assert '"mlflow.audit"' not in text or (len(text) < 4096 and text.isascii() and text.isprintable())


def test_no_value_hides_another(server: Server, keepers: tuple[Keeper, Keeper]) -> None:
    """Path, query and body, and both spellings of a field: MLflow takes one of them, the line has all."""
    anna = keepers[0]
    line = line_of(server, anna, "POST", f"{API}/runs/delete?run_id=a", json={"runId": "b", "run_id": "c"})
    assert line["object"] == {"run_id": ["a", "b", "c"]}


def test_the_page_describes_the_lines(server: Server, keepers: tuple[Keeper, Keeper]) -> None:
    line = line_of(server, keepers[1], "POST", f"{API}/runs/create", json={"experiment_id": "0"})
    names = re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE)
    described = {name for cell in names for name in re.findall(r"`(\w+)`", cell)}
    example = json.loads(PAGE.partition("```json\n")[2].partition("\n```")[0])
    assert line.keys() == described == example.keys()
    for name, value in example.items():
        assert type(line[name]) is type(value), name
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
