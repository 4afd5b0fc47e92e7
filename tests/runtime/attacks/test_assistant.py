"""MLflow's Assistant runs commands for clients that seem local. Here it does not exist, and none is local."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.attacks.test_routes import CLAIMS, Client
from runtime.server import Server, environment

PREFIX = "/ajax-api/3.0/mlflow/assistant"
BELOW = [
    "",
    "/",
    "/config",
    "/status",
    "/message",
    "/sessions/x/stream",
    "/providers",
    "/skills/install",
    "/x",
]

# Routes whose code asks for the peer's address: their functions, their dependencies, and what these call.
TRUSTING = """
import inspect, json, re, sys
sys.path[:0] = json.loads(__import__("os").environ["TEST_PATH"])
from mlflow.server import app as flask
from mlflow.server.fastapi_app import app as fastapi

PEER = re.compile(r"client[.]host|request[.]client|remote_addr|REMOTE_ADDR|is_loopback|access_route")

def trusts(function, seen):
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None or function in seen or not (function.__module__ or "").startswith("mlflow.server"):
        return False
    seen.add(function)
    try:
        source = inspect.getsource(function)
    except OSError:
        return False
    names = [function.__globals__.get(name) for name in code.co_names]
    return bool(PEER.search(source)) or any(trusts(each, seen) for each in names if inspect.isfunction(each))

def below(dependant):
    for each in dependant.dependencies:
        yield each.call
        yield from below(each)

def routes(list_of):
    for route in list_of:
        if hasattr(route, "effective_route_contexts"):
            for context in route.effective_route_contexts():
                yield context.path, context
        elif hasattr(route, "endpoint"):
            yield route.path, route

found = set()
for path, route in routes(fastapi.routes):
    dependant = getattr(route, "dependant", None)
    functions = [route.endpoint, *(below(dependant) if dependant else ())]
    if any(inspect.isfunction(each) and trusts(each, set()) for each in functions):
        found.add(path)
for rule in flask.url_map.iter_rules():
    if trusts(flask.view_functions[rule.endpoint], set()):
        found.add(rule.rule)
for function in flask.before_request_funcs.get(None, []):
    if trusts(function, set()):
        found.add("every route of Flask")
print(json.dumps(sorted(found)))
"""


@pytest.mark.parametrize("below", BELOW)
def test_the_whole_prefix_is_not_there(plain: Server, prefixed: Server, below: str) -> None:
    path = PREFIX + below
    other = [f"/{path}", path.replace("/mlflow", "//mlflow"), path.replace("ass", "%61ss"), path.upper()]
    for server, prefix in ((plain, ""), (prefixed, "/mlflow")):
        client = Client(server)
        for spelling in [prefix + path, *(prefix + each for each in other)]:
            for method in ("GET", "POST", "PUT", "DELETE"):
                status, answer = client.ask(method, spelling, b"{}", CLAIMS)
                assert status == 404, f"{method} {spelling}: {status} {answer[:100]!r}"


def test_every_route_that_trusts_the_peers_address_is_closed(plain: Server, tmp_path: Path) -> None:
    env = environment(tmp_path, TEST_PATH=json.dumps(sys.path), _MLFLOW_SGI_NAME="uvicorn")
    env["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{tmp_path}/mlflow.db"
    command = [sys.executable, "-c", TRUSTING]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True, cwd=tmp_path)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found, "MLflow trusts no address any more, or this test no longer finds where it does"
    client = Client(plain)
    for path in found:
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert client.ask(method, path.replace("{", "").replace("}", ""), b"{}", {})[0] == 404, path
