"""MLflow's basic-auth protects every route under `direct` exactly as under `upstream`."""

from collections.abc import Callable

import pytest
import requests

from runtime.basic_auth import ADMIN
from runtime.basic_auth import settings as login
from runtime.compare import Pair
from runtime.routes import Route, installed_routes
from runtime.test_routes import sweep

USER = ("user", "a long user password")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """basic-auth with its accounts in a file beside each server."""
    return {**login(tmp_path_factory.mktemp("auth")), "MLFLOW_EXPOSE_PROMETHEUS": "metrics"}


@pytest.fixture(scope="module")
def protected(start_pair: Callable[..., Pair], settings: dict[str, str]) -> Pair:
    """A pair with one user besides the administrator."""
    pair = start_pair(MLFLOW_KUBERNETES_APP_NAME="basic-auth", **settings)
    for server in (pair.upstream, pair.direct):
        account = {"username": USER[0], "password": USER[1]}
        url = f"{server.url}/api/2.0/mlflow/users/create"
        assert requests.post(url, json=account, auth=ADMIN, timeout=60).ok
    return pair


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> list[Route]:
    """All routes, with those that the auth app adds."""
    found = installed_routes(tmp_path_factory.mktemp("routes"), **settings)
    assert any(route.path == "/api/2.0/mlflow/users/create" for route in found)
    return found


def test_nobody_gets_in_without_an_account(protected: Pair, routes: list[Route]) -> None:
    assert sweep(protected, routes) == []
    served = {
        route.path
        for route in routes
        if route.method != "OPTIONS" and ask(protected, route).status_code not in (401, 404, 405)
    }
    assert served == {
        "/health",
        "/api/3.0/mlflow/server-info",
        "/ajax-api/3.0/mlflow/server-info",
    }


def ask(pair: Pair, route: Route) -> requests.Response:
    return requests.request(route.method, pair.direct.url + route.path, json={}, timeout=60)


def test_a_user_may_do_the_same(protected: Pair, routes: list[Route]) -> None:
    assert sweep(protected, [route for route in routes if route.method != "OPTIONS"], auth=USER) == []
    metrics = f"{protected.direct.url}/metrics"
    assert requests.get(metrics, auth=USER, timeout=60).status_code == 403
    assert requests.get(metrics, auth=ADMIN, timeout=60).ok
    assert requests.get(metrics, auth=(USER[0], "wrong"), timeout=60).status_code == 401
