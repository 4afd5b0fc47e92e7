"""Two servers on one database, where people log in at one provider."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.metrics import Metrics
from runtime.network import free_port
from runtime.oidc.plugin import settings
from runtime.oidc.provider import Provider
from runtime.postgres import Postgres
from runtime.server import Server, environment, run

PEOPLE = {
    "anna@example.com": ["blue"],
    "bert@example.com": ["red"],
    "carl@example.com": ["green"],
    "olga@example.com": ["operators"],
}


@dataclass
class Site:
    """What a test of the login has."""

    provider: Provider
    server: Server
    other: Server
    database: str
    postgres: Postgres
    metrics: Metrics

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Ask the database of the servers."""
        return self.postgres.query(statement, self.database)


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Postgres,
    ready_database: Callable[[], dict[str, str]],
) -> Iterator[Site]:
    """Both servers, without workspaces."""
    with open_site(tmp_path_factory, postgres, ready_database()) as opened:
        yield opened


@contextmanager
def open_site(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, where: dict[str, str], **own: str
) -> Iterator[Site]:
    """Both servers with settings of one's own; the provider sends people back to the first."""
    folder, port = tmp_path_factory.mktemp("oidc"), free_port()
    provider = Provider(folder, f"http://127.0.0.1:{port}/callback").start()
    provider.knows(PEOPLE)
    more = {"MLFLOW_ARTIFACTS_DESTINATION": str(folder / "artifacts"), "MLFLOW_KUBERNETES_AUDIT": "true"}
    env = settings(provider, **{**more, **where, **own})
    migrate(folder, env)
    shared = {"MLFLOW_EXPOSE_PROMETHEUS": str(folder / "metrics")}
    server = Server(tmp_path_factory.mktemp("server"), env | shared, port).start()
    other = Server(tmp_path_factory.mktemp("server"), env).start()
    metrics = Metrics(folder, ("workers",), {**shared, "MLFLOW_PORT": str(port)}).start()
    database = where["PGDATABASE"]
    try:
        yield Site(provider, server.ready(), other.ready(), database, postgres, metrics.ready())
        assert metrics.stop() == 0
    finally:
        server.kill()
        other.kill()
        provider.stop()


def migrate(folder: Path, env: dict[str, str], expected: int = 0) -> str:
    """Run the init container's program; return what it says."""
    step = run("schema", environment(folder, **env))
    output, _ = step.communicate(timeout=600)
    assert step.returncode == expected, output
    return output
