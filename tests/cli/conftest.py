"""A real tracking server for the tests of the command line."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient
from runtime.server import Server

from cli.cli import Cli
from cli.kubernetes_api import FakeApi
from cli.laptop import mlflow_of_the_process

# SQLite waits for the disk at every request; in memory the same server answers five times faster.
MEMORY = Path("/dev/shm")
# As the chart sets it for SQLite: a connection for each of 40 threads, and one more.
POOL = {"MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "41"}


@pytest.fixture(scope="session")
def tracking_server() -> Iterator[str]:
    """Run a server with SQLite and local artifacts behind it; yield its address."""
    folder = Path(tempfile.mkdtemp(prefix="mlflow-test-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with running_server(folder) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Run the chart's server on the database and the artifacts of a folder."""
    server = Server(folder, {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder}/mlflow.db", **POOL}).start()
    try:
        yield server.ready().url
    finally:
        server.stop()


@pytest.fixture
def server(tracking_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """Point the command line and MLflow itself at the server; yield a client of it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server)
    with mlflow_of_the_process(tracking_server):
        yield MlflowClient(tracking_server, registry_uri=tracking_server)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run `mlflowops` commands and look at what they answer."""
    return Cli(capsys, monkeypatch)


@pytest.fixture
def testbed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run `testbed` commands and look at what they answer."""
    return Cli(capsys, monkeypatch, "testbed")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """Run a Kubernetes API that is the current context."""
    fake = FakeApi()
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    with fake.current(tmp_path / "kubeconfig"):
        yield fake
