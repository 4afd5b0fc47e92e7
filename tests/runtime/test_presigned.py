"""Whether clients learn addresses of the object store, under both launchers."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from runtime.compare import Pair
from runtime.s3 import S3
from runtime.server import Server

FLAGS = ("multipart_uploads_enabled", "multipart_downloads_enabled")
ROUTES = {
    "GET": ["mlflow-artifacts/presigned/x/y.txt"],
    "POST": ["mlflow-artifacts/mpu/create/x/y.txt"],
}


@pytest.fixture(scope="module", params=["upstream", "direct"])
def server(request: pytest.FixtureRequest, withheld: Pair) -> Server:
    return getattr(withheld, request.param)


@pytest.fixture(scope="module")
def withheld(start_pair: Callable[..., Pair], s3: S3) -> Pair:
    return start_pair(**s3.environment("plain"), MLFLOW_KUBERNETES_PRESIGNED_URLS="false")


def offered(server: Server) -> list[bool]:
    info = requests.get(f"{server.url}/api/3.0/mlflow/server-info", timeout=30).json()
    return [info[flag] for flag in FLAGS]


def test_a_client_is_told_to_go_through_the_server(server: Server) -> None:
    assert offered(server) == [False, False]
    for method, paths in ROUTES.items():
        for path in paths:
            body = {"path": "y.txt", "num_parts": 2} if method == "POST" else None
            answer = requests.request(method, f"{server.url}/api/2.0/{path}", json=body, timeout=30)
            assert answer.status_code == 501, (path, answer.text)


def test_files_go_both_ways(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without credentials and without a variable; what is large enough to be sent in parts, too."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MLFLOW_ENABLE_PROXY"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("MLFLOW_S3_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1048576")
    client = MlflowClient(server.url)
    run = client.create_run(client.create_experiment(os.urandom(4).hex())).info.run_id
    content = os.urandom(3 * 1024 * 1024)
    (home / "big.bin").write_bytes(content)
    client.log_artifact(run, str(home / "big.bin"))
    (home / "back").mkdir()
    assert Path(client.download_artifacts(run, "big.bin", str(home / "back"))).read_bytes() == content


@pytest.mark.parametrize("parts", [10_001, 1_790_000_000_000, "1790000000000"])
def test_no_client_gets_addresses_without_end(pair: Pair, parts: object) -> None:
    for server in (pair.upstream, pair.direct):
        answer = begin(server, parts)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
        assert "at most 10000" in answer.json()["message"]


def test_an_upload_has_as_many_addresses_as_parts(pair: Pair) -> None:
    for server in (pair.upstream, pair.direct):
        for parts in (1, 3):
            assert len(begin(server, parts).json()["credentials"]) == parts


def begin(server: Server, parts: object) -> requests.Response:
    """Begin an upload in parts."""
    address = f"{server.url}/api/2.0/mlflow-artifacts/mpu/create/x"
    return requests.post(address, json={"path": "y.txt", "num_parts": parts}, timeout=30)


def test_addresses_are_offered_otherwise(pair: Pair) -> None:
    for server in (pair.upstream, pair.direct):
        assert offered(server) == [True, True]
