"""The settings of `mlflow server` mean the same under both launchers: prefix, hosts, origins, metrics."""

import os
import re
import signal
from collections.abc import Callable

import pytest
import requests

from runtime.compare import Pair

PREFIX = "/mlflow"
SEARCH = f"{PREFIX}/api/2.0/mlflow/experiments/search"
INFO = f"{PREFIX}/api/3.0/mlflow/server-info"
ORIGIN = "https://mlflow.example.com"


@pytest.fixture(scope="module")
def guarded(start_pair: Callable[..., Pair]) -> Pair:
    """A server behind an Ingress: everything set, two workers, metrics on."""
    return start_pair(
        MLFLOW_STATIC_PREFIX=PREFIX,
        MLFLOW_SERVER_ALLOWED_HOSTS="mlflow.example.com,mlflow.example.com:*,mlflow:*,127.0.0.1:*",
        MLFLOW_SERVER_CORS_ALLOWED_ORIGINS=ORIGIN,
        MLFLOW_SERVER_X_FRAME_OPTIONS="DENY",
        MLFLOW_EXPOSE_PROMETHEUS="metrics",
        MLFLOW_WORKERS="2",
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PREFIX}/health", 200),
        (f"{PREFIX}/version", 200),
        (f"{PREFIX}/", 200),
        (INFO, 200),
        ("/health", 404),
        ("/", 404),
        ("/api/3.0/mlflow/server-info", 404),
        ("/api/2.0/mlflow-artifacts/artifacts/none", 404),
        (f"{PREFIX}/api/2.0/mlflow-artifacts/artifacts/none", 404),
    ],
)
def test_everything_but_artifacts_moves_under_the_prefix(guarded: Pair, path: str, status: int) -> None:
    assert guarded.differences("GET", path) == []
    assert requests.get(guarded.direct.url + path, timeout=60).status_code == status


@pytest.mark.parametrize("path", [SEARCH + "?max_results=1", INFO], ids=["flask", "fastapi"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("mlflow.example.com", 200),
        ("mlflow.example.com:443", 200),
        ("mlflow:5000", 200),
        ("mlflow", 403),
        ("localhost:5000", 403),
        ("10.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("MLflow.Example.Com.", 200),
        ("mlflow:x/../health", 400),
        ("evil.example.com", 403),
    ],
)
def test_only_allowed_hosts_are_served(guarded: Pair, path: str, host: str, status: int) -> None:
    for server in (guarded.upstream, guarded.direct):
        answer = requests.get(server.url + path, headers={"Host": host}, timeout=60)
        assert answer.status_code == status
        assert ("mlflow.allowedHosts" in answer.text) is (status == 403)


@pytest.mark.parametrize("path", [SEARCH, f"{PREFIX}/ajax-api/3.0/jobs/search"], ids=["flask", "fastapi"])
@pytest.mark.parametrize("host", ["mlflow.example.com", "127.0.0.1:5000"], ids=["same host", "another"])
@pytest.mark.parametrize(
    ("origin", "blocked"),
    [
        (ORIGIN, False),
        ("http://localhost:3000", False),
        ("http://mlflow.example.com", True),
        ("https://evil.example.com", True),
    ],
)
def test_only_allowed_origins_may_write(
    guarded: Pair, path: str, host: str, origin: str, blocked: bool
) -> None:
    request = {"headers": {"Origin": origin, "Host": host}, "json": {"max_results": 1}}
    assert guarded.differences("POST", path, **request) == []
    answer = requests.post(guarded.direct.url + path, timeout=60, **request)
    assert (answer.status_code == 403) is blocked


def test_flask_requests_are_counted_as_upstream_does(guarded: Pair) -> None:
    def counted(url: str) -> dict[str, float]:
        text = requests.get(f"{url}/metrics", timeout=60).text
        return {
            key: float(value) for key, value in re.findall(r'^(\w+{.*status="200".*?}) (\S+)$', text, re.M)
        }

    def growth(url: str) -> dict[str, float]:
        before = counted(url)
        with requests.Session() as session:
            for _ in range(30):
                assert session.get(f"{url}{SEARCH}?max_results=1", timeout=60).ok
                session.get(f"{url}{PREFIX}/health", timeout=60)  # excluded by MLflow
        grown = {key: value - before.get(key, 0) for key, value in counted(url).items()}
        return {key: value for key, value in grown.items() if "_bucket" not in key and "_sum" not in key}

    direct = growth(guarded.direct.url)
    assert direct == growth(guarded.upstream.url)
    assert direct['mlflow_http_request_total{method="GET",status="200"}'] == 30


def test_metrics_survive_a_worker(guarded: Pair) -> None:
    """The numbers of a worker that was killed stay in the sum, and another worker takes its place."""
    name = 'mlflow_http_request_total{method="GET",status="200"}'

    def total() -> float:
        text = requests.get(f"{guarded.direct.url}/metrics", timeout=60).text
        return float(text.partition(f"{name} ")[2].split()[0])

    before = total()
    os.kill(guarded.direct.workers()[0], signal.SIGKILL)
    assert requests.get(f"{guarded.direct.url}{SEARCH}?max_results=1", timeout=60).ok
    assert total() == before + 1
