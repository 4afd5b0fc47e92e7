"""A server whose /tmp is full answers 503, which MLflow's client repeats, to what needs it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from runtime.s3 import S3
from runtime.server import Server

# A disk of 1 MiB, which the process sees alone and which ends with it.
SMALL = 'mount -t tmpfs -o size=1m tmpfs "$TMPDIR"; exec "$@"'
LARGE = 3 << 20
FILE = "api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/file.bin"
BATCH = "api/2.0/mlflow/runs/log-batch"


@pytest.fixture(scope="module")
def server(
    ready_database: Callable[[], dict[str, str]], s3: S3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder, disk = tmp_path_factory.mktemp("server"), tmp_path_factory.mktemp("disk")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    env = {**ready_database(), **s3.environment("plain"), "TMPDIR": str(disk)}
    before = ("unshare", *user, "--mount", "sh", "-ec", SMALL, "sh")
    small = Server(folder, env, before=before).start().ready()
    yield small
    small.kill()


def test_a_file_that_does_not_fit(server: Server, tmp_path: Path) -> None:
    answer = requests.put(f"{server.url}/{FILE}", data=b"x" * LARGE, timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "disk" in answer.json()["message"]
    assert requests.put(f"{server.url}/{FILE}", data=b"small", timeout=60).ok, "the large one left nothing"
    assert requests.get(f"{server.url}/{FILE}", timeout=60).content == b"small"


def test_a_download_that_does_not_fit(server: Server, s3: S3) -> None:
    """MLflow stores a file of an object store in /tmp before it answers with it."""
    s3.client("plain").put_object(
        Bucket="mlflow", Key="artifacts/0/run/artifacts/large.bin", Body=b"x" * LARGE
    )
    answer = requests.get(f"{server.url}/{FILE.replace('file.bin', 'large.bin')}", timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "disk" in answer.json()["message"]
    assert requests.put(f"{server.url}/{FILE}", data=b"small", timeout=60).ok
    assert requests.get(f"{server.url}/{FILE}", timeout=60).content == b"small", "the large one left nothing"


def test_a_body_that_does_not_fit(server: Server) -> None:
    answer = requests.post(f"{server.url}/{BATCH}", data=b" " * LARGE, timeout=60)
    assert (answer.status_code, "disk" in answer.text) == (503, True)
    answer = requests.post(f"{server.url}/{BATCH}", data=b" " * (LARGE // 8), timeout=60)
    assert answer.status_code == 400, "it fits, and is no JSON"
    experiment = f"{server.url}/api/2.0/mlflow/experiments/get?experiment_id=0"
    assert requests.get(experiment, timeout=60).ok
