"""Every route of the installed MLflow's two apps, and a request that reaches it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.server import environment

# Builds the apps in a process of its own: they read their settings while they are imported.
LIST = """
import json, os, sys
sys.path[:0] = json.loads(os.environ["TEST_PATH"])
from runtime.routes import all_routes
if os.environ.get("MLFLOW_AUTH_CONFIG_PATH"):
    from mlflow.server.auth import create_app
    fastapi = create_app()
else:
    from mlflow.server.fastapi_app import app as fastapi
from mlflow.server import app as flask
print(json.dumps([vars(route) for route in all_routes(flask, fastapi)]))
"""


@dataclass(frozen=True, order=True)
class Route:
    """A path (with parameters filled in) and a method."""

    method: str
    path: str
    native: bool
    template: str = field(default="", compare=False)  # the path with its parameters

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def installed_routes(folder: Path, **env: str) -> list[Route]:
    """The routes of the installed MLflow with these settings."""
    uri = f"sqlite:///{folder}/mlflow.db"
    internal = {"_MLFLOW_SGI_NAME": "uvicorn", "_MLFLOW_SERVER_FILE_STORE": uri}
    everything = environment(folder, TEST_PATH=json.dumps(sys.path), **internal, **env)
    command = [sys.executable, "-c", LIST]
    done = subprocess.run(command, env=everything, stdout=subprocess.PIPE, text=True, check=True, cwd=folder)
    return [Route(**route) for route in json.loads(done.stdout)]


def distinct_routes(folder: Path, **env: str) -> list[Route]:
    """Those of the installed MLflow that do something, each in one of its spellings."""
    found = installed_routes(folder, **env)
    one = {(each.method, each.path.replace("ajax-api", "api")): each for each in found}
    return [each for each in one.values() if each.method not in ("HEAD", "OPTIONS")]


def all_routes(flask: Any, fastapi: Any) -> list[Route]:
    """All routes of a Flask app and of the FastAPI app around it."""
    native = {Route(method, _fill(path), True, path) for method, path in _fastapi(fastapi.routes)}
    paths = {(route.method, route.path) for route in native}
    plain = {
        Route(method, _fill(rule.rule), False, rule.rule)
        for rule in flask.url_map.iter_rules()
        for method in rule.methods
        if (method, _fill(rule.rule)) not in paths
    }
    return sorted(native | plain)


def _fastapi(routes: list[Any]) -> Iterator[tuple[str, str]]:
    """The routes of an app, of the routers that it includes, and of theirs."""
    for route in routes:
        if hasattr(route, "effective_route_contexts"):
            for context in route.effective_route_contexts():
                yield from ((method, context.path) for method in context.methods)
        elif hasattr(route, "methods"):
            yield from ((method, route.path) for method in route.methods)
        else:
            assert route.path == "", f"{route}: a kind of route that this test does not know"


def _fill(path: str) -> str:
    """A value for every parameter: Flask writes <path:name>, FastAPI {name:path}."""
    return re.sub(r"<[^>]+>|{[^}]+}", "x", path)
