"""A real tracking server for the tests of the command line."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient
from runtime.network import free_port

from cli.cli import Cli
from cli.laptop import mlflow_of_the_process

# SQLite waits for the disk at every request; in memory the same server answers five times faster.
MEMORY = Path("/dev/shm")
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_MODEL_CATALOG_URI": "",
    # 40 request threads and a pool of 15 lock each other out under concurrent log-batch calls.
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "50",
}


@pytest.fixture(scope="session")
def tracking_server() -> Iterator[str]:
    """Run `mlflow server` with SQLite and local artifacts behind it; yield its address."""
    folder = Path(tempfile.mkdtemp(prefix="mlflow-test-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with running_server(folder) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Run `mlflow server` on the database and the artifacts of a folder."""
    address = f"http://127.0.0.1:{free_port()}"
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            _command(folder, address), env={**os.environ, **QUIET}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(address, server, folder / "server.log")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


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


def _command(folder: Path, address: str) -> list[str]:
    host, port = address.removeprefix("http://").split(":")
    where = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    ]
    return [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        host,
        "--port",
        port,
        "--workers",
        "1",
        *where,
    ]


def _wait(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the tracking server did not start:\n{log.read_text()[-3000:]}")
