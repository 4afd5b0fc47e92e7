"""Every route of the installed MLflow answers the same under both launchers."""

import re
from typing import Any

import pytest

from runtime.compare import DIFFERENCES, Pair
from runtime.routes import Route, installed_routes

# Bodies where an empty one would answer with random words, or would work for a minute.
BODIES: dict[str, Any] = {
    "runs/create": {"experiment_id": "0", "run_name": "name"},
    "demo/generate": {"features": []},
}
FOREIGN = {"Origin": "https://evil.example.com"}
LOCAL = {"Origin": "http://localhost:3000"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """All of them."""
    return installed_routes(tmp_path_factory.mktemp("routes"))


def test_mlflow_serves_no_mcp_endpoint(routes: list[Route]) -> None:
    """Only a registry of MCP servers. An endpoint of a new version needs a decision (docs/identity.md)."""
    found = {each.path for each in routes if re.search(r"\bmcp\b", each.path)}
    assert found and {path for path in found if "/mlflow/mcp-servers" not in path} == set()


def body(route: Route) -> Any:
    """What to send to a route."""
    if route.method in ("GET", "HEAD", "OPTIONS"):
        return None
    return next((body for end, body in BODIES.items() if route.path.endswith(end)), {})


def sweep(pair: Pair, routes: list[Route], **request: Any) -> list[str]:
    """The differences of many routes."""
    found = []
    for route in routes:
        found += pair.differences(route.method, route.path, json=body(route), **request)
    return found


def test_all_routes_answer_alike(pair: Pair, routes: list[Route]) -> None:
    assert len(routes) > 900, "MLflow has lost routes, or this test no longer finds them"
    assert sweep(pair, routes) == []


def test_the_security_middleware_answers_alike(pair: Pair, routes: list[Route]) -> None:
    sample = routes[::7]
    found = sweep(pair, sample, headers=FOREIGN) + sweep(pair, sample, headers=LOCAL)
    found += sweep(pair, sample, headers={"Host": "evil.example.com"})
    preflights = [Route("OPTIONS", route.path, route.native) for route in sample]
    for origin in (FOREIGN, LOCAL):
        found += sweep(pair, preflights, headers=origin | {"Access-Control-Request-Method": "PATCH"})
    assert found == []
    assert pair.seen == set(DIFFERENCES), "a documented difference has gone"
