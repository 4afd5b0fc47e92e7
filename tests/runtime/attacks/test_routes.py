"""Every route of the installed MLflow, in every spelling, with headers that claim another path or client."""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from runtime.attacks.conftest import BOB, LOGIN
from runtime.attacks.wire import basic
from runtime.basic_auth import ADMIN
from runtime.routes import Route, installed_routes
from runtime.server import Server

# What answers without an account, as docs/security.md says.
OPEN = re.compile(r"(/mlflow)?/(health|(ajax-)?api/3\.0/mlflow/server-info|static-files/.*)")
# Answers without content: redirects, refusals, no such route.
CLOSED = {301, 307, 308, 400, 401, 403, 404, 405, 501}
CLAIMS = {
    "SCRIPT_NAME": "/static",
    "Script-Name": "/static",
    "X-Script-Name": "/static",
    "X-Forwarded-Prefix": "/static",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "localhost",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=127.0.0.1;host=localhost",
    "X-Real-IP": "127.0.0.1",
    "X-Original-URL": "/health",
    "X-Rewrite-URL": "/health",
    "X-HTTP-Method-Override": "GET",
    "Remote-User": ADMIN[0],
    "X-Remote-User": ADMIN[0],
    "X_Forwarded_For": "127.0.0.1",
}


def spellings(path: str) -> list[str]:
    """Other ways to write a path."""
    return [
        path,
        f"{path}/",
        f"/{path}",
        f"/.{path}",
        f"/%2e{path}",
        f"/static-files/..{path}",
        f"/static-files/%2e%2e{path}",
        f"/static{path}",
        f"/health/..{path}",
        path.replace("m", "%6D", 1),
        path.replace("/", "%2f").replace("%2f", "/", 1),
        path.replace("/api", "//api", 1),
        f"{path};x",
        f"{path}?x=/health",
        path.upper(),
    ]


class Client:
    """Sends requests over one connection, and takes another when the server closes it."""

    def __init__(self, server: Server) -> None:
        self.port = server.port
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        for last in (False, True):
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.connection.close()
                if last:
                    raise
        raise AssertionError


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """All routes, with those that the login adds."""
    ini = tmp_path_factory.mktemp("auth") / "basic_auth.ini"
    ini.write_text("[mlflow]\ndatabase_uri = sqlite:///basic_auth.db\ndefault_permission = READ\n")
    found = installed_routes(tmp_path_factory.mktemp("routes"), MLFLOW_AUTH_CONFIG_PATH=str(ini), **LOGIN)
    assert len(found) > 900
    return found


def answered(server: Server, routes: list[Route], prefix: str = "") -> Iterator[str]:
    """What is answered with more than a refusal."""
    client = Client(server)
    headers = CLAIMS | {"Content-Type": "application/json"}
    for route in routes:
        if OPEN.fullmatch(route.path):
            continue
        for path in spellings(prefix + route.path):
            status, _ = client.ask(route.method, path, b"{}", headers)
            if status not in CLOSED and not OPEN.fullmatch(path.partition("?")[0]):
                yield f"{route.method} {path}: {status}"


def test_no_spelling_gets_in_without_an_account(login: Server, launcher: str, routes: list[Route]) -> None:
    """OPTIONS is a browser's question, answered by the CORS rules without MLflow's views."""
    asked = [route for route in routes if route.method != "OPTIONS"]
    assert list(answered(login, asked if launcher == "direct" else asked[::5])) == []


def written(name: str) -> set[str]:
    """Ways to write the name of a header that some server takes for the same one."""
    return {name, name.lower(), name.upper(), name.replace("-", "_"), name.replace("_", "-")}


def test_no_single_claim_gets_in(login: Server, routes: list[Route]) -> None:
    """One header might undo what another one does."""
    client = Client(login)
    ours = next(route for route in routes if route.path.endswith("/mlflow/experiments/search"))
    found = {
        (header, value, path): client.ask(ours.method, path, b"{}", {header: value})[0]
        for name, claimed in CLAIMS.items()
        for header in written(name)
        for value in {claimed, "/static-files/x", "/health", "127.0.0.1", "::1", ADMIN[0]}
        for path in (ours.path, "/", f"/static-files/..{ours.path}")
    }
    assert {asked: status for asked, status in found.items() if status not in CLOSED} == {}


def test_no_spelling_gets_in_below_a_prefix(prefixed: Server, routes: list[Route]) -> None:
    asked = [route for route in routes if route.method != "OPTIONS"][::5]
    assert list(answered(prefixed, asked, "/mlflow")) == []
    assert list(answered(prefixed, asked)) == []


MARK = "alice-7c1f"


@pytest.fixture
def hers(login: Server) -> dict[str, Any]:
    """Objects with a mark, and every parameter by which a route could be asked for them."""
    client = Client(login)

    def create(path: str, **body: Any) -> Any:
        headers = {"Authorization": basic(ADMIN), "Content-Type": "application/json"}
        status, answer = client.ask("POST", f"/api/2.0/mlflow/{path}", json.dumps(body).encode(), headers)
        assert status == 200, answer
        return json.loads(answer)

    unique = f"{MARK}-{login.port}-{id(client)}"
    experiment = create("experiments/create", name=unique)["experiment_id"]
    run = create("runs/create", experiment_id=experiment, run_name=MARK)["run"]["info"]["run_id"]
    create("runs/set-tag", run_id=run, key="mark", value=MARK)
    create("runs/log-metric", run_id=run, key=MARK, value=1, timestamp=1)
    create("registered-models/create", name=unique, description=MARK)
    path = f"{experiment}/{run}/artifacts/note"
    status, _ = client.ask(
        "PUT",
        f"/api/2.0/mlflow-artifacts/artifacts/{path}",
        MARK.encode(),
        {"Authorization": basic(ADMIN)},
    )
    assert status == 200
    create("model-versions/create", name=unique, source=f"mlflow-artifacts:/{path}", run_id=run)
    prompt = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    create("registered-models/create", name=f"{unique}-prompt", description=MARK, tags=[prompt])
    text = {"key": "mlflow.prompt.text", "value": MARK}
    create("model-versions/create", name=f"{unique}-prompt", source="dummy-source", tags=[prompt, text])
    event = {"entity": "MODEL_VERSION", "action": "CREATED"}
    hook = {"url": "https://127.0.0.1:9/hook", "description": MARK, "events": [event]}
    webhook = create("webhooks", name=unique, **hook)["webhook"]["webhook_id"]
    trace = create(
        "traces",
        experiment_id=experiment,
        timestamp_ms=1,
        request_metadata=[],
        tags=[{"key": "mark", "value": MARK}],
    )
    trace_id = trace["trace_info"]["request_id"]
    ids = {
        "experiment_id": experiment,
        "experiment_ids": [experiment],
        "experiment_name": unique,
        "run_id": run,
        "run_uuid": run,
        "run_ids": [run],
        "name": unique,
        "version": "1",
        "metric_key": MARK,
        "max_results": 10,
        "stages": ["None"],
        "webhook_id": webhook,
        "trace_id": trace_id,
        "trace_ids": [trace_id],
        "request_id": trace_id,
    }
    return {"body": ids, "path": path}


def test_another_account_never_sees_the_content(
    login: Server, routes: list[Route], hers: dict[str, Any]
) -> None:
    client = Client(login)
    headers = CLAIMS | {"Authorization": basic(BOB), "Content-Type": "application/json"}
    query = urlencode({**hers["body"], "path": "note"}, doseq=True)
    seen = []
    for route in routes:
        if route.method in ("OPTIONS", "DELETE") or "/delete" in route.path:
            continue
        path = route.path.removesuffix("/x")
        below = f"{path}/{hers['path']}" if "mlflow-artifacts" in path and path != route.path else route.path
        body = b"" if route.method in ("GET", "HEAD") else json.dumps(hers["body"]).encode()
        _, answer = client.ask(route.method, f"{below}?{query}", body, headers)
        # An error may repeat what was asked for; the content of an object holds the mark alone.
        for given in (hers["body"]["name"], hers["body"]["metric_key"]):
            answer = answer.replace(json.dumps(given).encode(), b"").replace(f"'{given}'".encode(), b"")
        answer = answer.replace(hers["body"]["name"].encode(), b"")
        if MARK.encode() in answer:
            seen.append(f"{route}: {answer[:200]!r}")
    assert seen == []


def test_the_administrator_would_see_it(login: Server, hers: dict[str, Any]) -> None:
    """The test above could not fail otherwise."""
    headers = {"Authorization": basic(ADMIN)}
    ids = hers["body"]
    for path in (
        f"runs/get?run_id={ids['run_id']}",
        f"traces/{ids['trace_id']}/info",
        f"webhooks/{ids['webhook_id']}",
        f"model-versions/get?name={ids['name']}-prompt&version=1",
    ):
        assert MARK.encode() in Client(login).ask("GET", f"/api/2.0/mlflow/{path}", b"", headers)[1], path
    artifact = f"/api/2.0/mlflow-artifacts/artifacts/{hers['path']}"
    assert Client(login).ask("GET", artifact, b"", headers) == (200, MARK.encode())


VARIABLES = {
    "FORWARDED_ALLOW_IPS": "*",
    "GUNICORN_CMD_ARGS": "--forwarded-allow-ips=*",
    "SCRIPT_NAME": "/static",
    "UVICORN_ROOT_PATH": "/static",
    "_MLFLOW_STATIC_PREFIX": "/static",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
    "MLFLOW_ENABLE_REMOTE_ASSISTANT": "true",
    "FLASK_DEBUG": "1",
    "WEB_CONCURRENCY": "0",
}


def test_no_variable_changes_whom_the_server_trusts(edge: Callable[..., Server], launcher: str) -> None:
    """As a Secret or a ConfigMap of `mlflow.envFrom` could bring them."""
    more = {"MLFLOW_UVICORN_OPTS": "--root-path /static --http h11"} if launcher == "upstream" else {}
    server = edge(**LOGIN, **VARIABLES, **more, MLFLOW_KUBERNETES_LAUNCHER=launcher)
    path = "/api/2.0/mlflow/experiments/search?max_results=1"
    assert Client(server).ask("GET", path, b"", CLAIMS)[0] == 401
    server.stop()
