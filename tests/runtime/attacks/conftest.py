"""Servers to attack, one of each kind for a test session, under both launchers.

They have SQLite, so no fast paths. TESTS_ATTACKS_DATABASE=postgresql gives them PostgreSQL, with fast paths.
"""

import itertools
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.attacks.wire import JSON, ask, basic, http
from runtime.basic_auth import ADMIN
from runtime.conftest import MODULE
from runtime.server import Server

BOB = ("bob", "a long password of bob")
# Attackers wait until the server gives up, so the tests make that soon.
HEAD, BODY = 3, 4
Edge = Callable[..., Server]


def pytest_configure() -> None:
    """Thousands of connections need as many open files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))


@pytest.fixture(scope="session")
def mutations() -> int:
    """How many random requests the fuzz tests send to each server."""
    return int(os.environ.get("MLFLOW_ATTACKS_MUTATIONS", "1000"))


@pytest.fixture(scope="session")
def new_database(
    start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[Path], dict[str, str]]:
    """Gives the folder of a server a database with MLflow's tables, an administrator and bob."""
    on_postgresql = os.environ.get("TESTS_ATTACKS_DATABASE") == "postgresql"
    where = request.getfixturevalue("database")() if on_postgresql else {}
    server = start(**SETTINGS | LOGIN | where).ready()
    account = f'{{"username": "{BOB[0]}", "password": "{BOB[1]}"}}'.encode()
    answer = ask(server, http("POST", "/api/2.0/mlflow/users/create", account, JSON, ADMIN), "POST")
    assert answer and answer.status == 200, answer
    server.stop()
    if on_postgresql:
        numbers, postgres = itertools.count(1), request.getfixturevalue("postgres")
        return lambda _: postgres.copy(where, f"attacks{next(numbers)}")
    file = Path(shutil.copy(server.folder / "mlflow.db", tmp_path_factory.mktemp("database") / "mlflow.db"))

    def copy(folder: Path) -> dict[str, str]:
        shutil.copy(file, folder / "mlflow.db")
        return {}

    return copy


SETTINGS = {
    "MLFLOW_BACKEND_STORE_URI": "sqlite:///mlflow.db",
    "MLFLOW_EXPOSE_PROMETHEUS": "metrics",
    "MLFLOW_KUBERNETES_ACCESS_LOG": "true",
    "MLFLOW_KUBERNETES_LOG_FORMAT": "json",
    "MLFLOW_KUBERNETES_HEAD_SECONDS": str(HEAD),
    "MLFLOW_KUBERNETES_BODY_SECONDS": str(BODY),
}
LOGIN = {
    "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
    "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",  # the tests have no public address
    "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
    "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "0123456789abcdef" * 4,
}
KINDS = {"plain": {}, "login": LOGIN, "prefixed": LOGIN | {"MLFLOW_STATIC_PREFIX": "/mlflow"}}


@pytest.fixture(scope="session")
def edge(
    new_database: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    """Starts a server with more settings, and with `files` (`soft` at first) as its limit of open files."""
    servers: list[Server] = []

    def start_one(files: int = 0, soft: int = 0, **env: str) -> Server:
        folder = tmp_path_factory.mktemp("edge")
        server = Server(folder, SETTINGS | new_database(folder) | env).start()
        servers.append(server)
        MODULE.append(server)
        if files:  # before Python has started, so that all its children inherit it
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft or files, files))
        return server.ready()

    yield start_one
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def kind(edge: Edge) -> Callable[[str, str], Server]:
    """The one server of a launcher and a kind (of KINDS), replaced if an attack ended it."""
    running: dict[tuple[str, str], Server] = {}

    def get(launcher: str, name: str) -> Server:
        server = running.get((launcher, name))
        if server is None or server.process.poll() is not None:
            server = running[launcher, name] = edge(MLFLOW_KUBERNETES_LAUNCHER=launcher, **KINDS[name])
            MODULE.remove(server)
        return server

    return get


@pytest.fixture(scope="module", params=["direct", "upstream"])
def launcher(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plain(kind: Callable[[str, str], Server], launcher: str) -> Server:
    """A server without a login."""
    return kind(launcher, "plain")


@pytest.fixture
def login(kind: Callable[[str, str], Server], launcher: str) -> Server:
    """A server with a login; an account without a grant may do nothing."""
    return kind(launcher, "login")


@pytest.fixture
def prefixed(kind: Callable[[str, str], Server], launcher: str) -> Server:
    """The same below /mlflow."""
    return kind(launcher, "prefixed")


@pytest.fixture(scope="session")
def admin() -> dict[str, str]:
    """The header that logs the administrator in."""
    return {"Authorization": basic(ADMIN)}
