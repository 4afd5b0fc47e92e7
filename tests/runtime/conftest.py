"""Real stores for the chart's Python: PostgreSQL and S3, one of each for a test session."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.azure import Azure
from runtime.compare import Pair
from runtime.gcs import Gcs
from runtime.mariadb import MariaDB
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import Server, environment, run

# Every character that has broken a URL, a shell, an ini file or YAML.
ODD = "p@ss:w/rd#%&? +'\"\\é$(x)"
LONG = "0123456789abcdef" * 8


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of the module's own, which its tests may stop."""
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def own_tables(own_postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The way to its database `mlflow`, with MLflow's tables."""
    where = own_postgres.database("mlflow", "mlflow")
    assert run("schema", environment(tmp_path_factory.mktemp("schema"), **where)).wait(300) == 0
    return where


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server."""
    server = MariaDB()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server."""
    server = S3(plain="secret", odd=ODD, long=LONG)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> Callable[..., dict[str, str]]:
    """Makes an empty database and returns the variables that lead to it."""
    numbers = itertools.count(1)
    return lambda password="mlflow": postgres.database(f"mlflow{next(numbers)}", password)


@pytest.fixture(scope="session")
def ready_database(
    postgres: Postgres, database: Callable[..., dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], dict[str, str]]:
    """Makes a database with MLflow's tables, quickly: a copy of one that was migrated before."""
    original = database()
    step = run("schema", environment(tmp_path_factory.mktemp("schema"), **original))
    output, _ = step.communicate(timeout=300)
    assert step.returncode == 0, output
    numbers = itertools.count(1)
    return lambda: postgres.copy(original, f"copy{next(numbers)}")


MODULE: list[Server] = []  # servers that only the current test module uses


@pytest.fixture(scope="module", autouse=True)
def _end_servers() -> Iterator[None]:
    """End the servers of a test module with it: each holds 200 MiB."""
    yield
    while MODULE:
        MODULE.pop().kill()


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers without waiting. They end with the test module, unless taken from MODULE."""
    servers: list[Server] = []

    def start_one(**env: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("server"), env).start())
        MODULE.append(servers[-1])
        return servers[-1]

    yield start_one
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def start_pair(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]
) -> Callable[..., Pair]:
    """Starts one server of each launcher with equal settings."""

    def start_two(**env: str) -> Pair:
        upstream, direct = (
            start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **ready_database(), **env)
            for launcher in ("upstream", "direct")
        )
        return Pair(upstream.ready(), direct.ready())

    return start_two


@pytest.fixture(scope="session")
def pair(start_pair: Callable[..., Pair], s3: S3) -> Pair:
    """MLflow's default settings, with PostgreSQL, S3 and the gateway."""
    gateway = {
        "MLFLOW_ENABLE_AI_GATEWAY": "true",
        "MLFLOW_CRYPTO_KEK_PASSPHRASE": "a passphrase of the gateway, for tests",
        "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "http",
        "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
    }
    both = start_pair(**s3.environment("plain"), **gateway)
    MODULE.remove(both.upstream)
    MODULE.remove(both.direct)
    return both


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for a process of the test's own."""
    return tmp_path


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    """An Azure Blob Storage."""
    store = Azure()
    yield store
    store.remove()


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    """A Google Cloud Storage."""
    store = Gcs()
    yield store
    store.remove()


@pytest.fixture(scope="module", params=["azure", "gcs"])
def store(request: pytest.FixtureRequest) -> Azure | Gcs:
    """Either cloud's store, one after the other."""
    return request.getfixturevalue(request.param)
