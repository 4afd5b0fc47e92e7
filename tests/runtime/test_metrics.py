"""The container beside the server: right over workers, their ends and restarts, beside a login."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
import yaml
from mlflowops.paths import REPO
from prometheus_client.mmap_dict import MmapedDict

from runtime.basic_auth import ADMIN
from runtime.basic_auth import settings as login
from runtime.metrics import Metrics, Page
from runtime.network import wait_until
from runtime.server import Server
from runtime.tasks import RETENTION, run_task

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
TOTAL = "mlflow_http_request_total"
MONITORING = REPO / "charts" / "mlflow" / "monitoring"
# What only a kubelet knows; https://kubernetes.io/docs/reference/instrumentation/metrics/ and cAdvisor.
KUBELET = {
    "kubelet_volume_stats_used_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "container_memory_working_set_bytes",
    "container_cpu_usage_seconds_total",
}


class Pod:
    """A server with two workers and a login, and the process beside it."""

    def __init__(self, server: Server, metrics: Metrics, stores: Metrics) -> None:
        self.server = server
        self.metrics = metrics
        self.stores = stores
        self.folder = Path(server.env["MLFLOW_EXPOSE_PROMETHEUS"])

    def get(self, path: str = SEARCH) -> requests.Response:
        """One request on a connection of its own, so that any worker may take it."""
        return requests.get(self.server.url + path, auth=ADMIN, timeout=60)

    def growth(self, act: Callable[[], Any], **labels: str) -> dict[str, float]:
        """By how much requests grow under each name that they are counted under."""
        names = (TOTAL, "mlflow_http_requests_total", "mlflow_http_request_duration_seconds_count")
        before = self.metrics.page()
        act()
        after = self.metrics.page()
        return {name: _sum(after, name, labels) - _sum(before, name, labels) for name in names}


def _sum(page: Page, name: str, labels: dict[str, str]) -> float:
    try:
        return page.sum(name, **labels)
    except KeyError:
        return 0


@pytest.fixture(scope="module")
def pods(
    start: Callable[..., Server],
    database: Callable[..., dict[str, str]],
    s3: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Pod]]:
    """One pod of each launcher, on one database, which the first to start makes."""
    env = {
        **database(),
        **s3.environment("plain"),
        "MLFLOW_KUBERNETES_METRICS_INTERVAL": "5",
        "MLFLOW_KUBERNETES_TASKS": "retention=3600",
    }

    def pod(launcher: str) -> Pod:
        folder = tmp_path_factory.mktemp("pod")
        stores = Metrics(folder, ("stores",), {**env, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"})
        shared = {"MLFLOW_EXPOSE_PROMETHEUS": str(folder / "metrics")}
        metrics = Metrics(folder, ("workers",), shared)
        server = start(
            **shared,
            **env,
            MLFLOW_KUBERNETES_LAUNCHER=launcher,
            MLFLOW_KUBERNETES_METRICS_PAGES=f"{metrics.url} {stores.url}",
            MLFLOW_WORKERS="2",
            MLFLOW_KUBERNETES_APP_NAME="basic-auth",
            **login(folder),
        )
        metrics.env["MLFLOW_PORT"] = str(server.port)
        metrics.start(), stores.start()
        return Pod(server.ready(), metrics.ready(), stores.ready())

    both = {launcher: pod(launcher) for launcher in ("direct", "upstream")}
    yield both
    for each in both.values():
        assert (each.metrics.stop(), each.stores.stop()) == (0, 0)
        each.server.kill()


@pytest.fixture(params=["direct", "upstream"])
def pod(pods: dict[str, Pod], request: pytest.FixtureRequest) -> Pod:
    return pods[request.param]


@pytest.fixture
def direct(pods: dict[str, Pod]) -> Pod:
    """What plain `mlflow server` cannot do."""
    return pods["direct"]


def test_requests_of_both_workers_are_added_up(pod: Pod) -> None:
    def ask() -> None:
        assert all(pod.get().ok for _ in range(40))

    assert set(pod.growth(ask, method="GET", status="200").values()) == {40}
    values = {
        file: MmapedDict.read_all_values_from_file(str(file)) for file in pod.folder.glob("counter_*.db")
    }
    counting = [file for file, found in values.items() if any(TOTAL in key and n for key, n, *_ in found)]
    assert len(counting) == 2


def test_an_error_that_never_was_is_zero(direct: Pod) -> None:
    """Its first one would be invisible to rate() otherwise, and a pod without requests has no series."""
    page = direct.metrics.page()
    for name in (TOTAL, "mlflow_http_requests_total", "mlflow_http_request_duration_seconds_count"):
        assert page.sum(name, method="POST", status="500") == 0


def test_fastapi_requests_are_counted_too(direct: Pod) -> None:
    """MLflow itself counts Flask's only. A browser's request crosses both apps and is still one."""

    def use_artifacts() -> None:
        url = f"{direct.server.url}{ARTIFACTS}/folder/file.bin"
        for method in ("PUT", "GET", "DELETE"):
            assert requests.request(method, url, data=b"content", auth=ADMIN, timeout=60).ok
        origin = {"Origin": "http://localhost:3000"}
        assert requests.get(f"{direct.server.url}{SEARCH}", headers=origin, auth=ADMIN, timeout=60).ok
        requests.get(f"{direct.server.url}/health", timeout=60)

    assert set(direct.growth(use_artifacts).values()) == {4}
    assert set(direct.growth(use_artifacts, method="PUT", status="200").values()) == {1}


def test_failures_are_counted_by_status(pod: Pod) -> None:
    missing = "/api/2.0/mlflow/runs/get?run_id=none"
    assert set(pod.growth(lambda: pod.get(missing), method="GET", status="404").values()) == {1}


def test_a_login_guards_the_server_and_not_the_container(pod: Pod) -> None:
    assert requests.get(f"{pod.server.url}/metrics", timeout=60).status_code == 401
    assert TOTAL in pod.metrics.page().names()
    assert TOTAL in Page(pod.get("/metrics").text).names()


def test_the_servers_own_page_has_all_that_its_users_look_for(direct: Pod) -> None:
    """Under the address that every guide names, with either container."""
    direct.stores.until(1, "mlflow_inventory_up")
    names = Page(direct.get("/metrics").text).names()
    assert {
        "mlflow_http_requests_total",
        "mlflow_http_request_duration_seconds_bucket",
        "mlflow_runs_total",
        "mlflow_experiments_total",
    } <= names


def test_alerts_and_dashboard_ask_for_what_there_is(direct: Pod) -> None:
    """A renamed metric breaks no query, it silences an alert."""
    run_task("retention", direct.folder.parent, direct.stores.env, *RETENTION)
    assert direct.stores.reported("mlflow_retention_deleted_runs") == 0
    direct.get()
    for name in ("mlflow_database_up", "mlflow_inventory_up", "mlflow_jobs_up", "mlflow_artifact_store_up"):
        direct.stores.until(1, name)
    exposed = direct.metrics.page().names() | direct.stores.page().names()
    text = "".join(file.read_text() for file in MONITORING.rglob("*") if file.is_file())
    asked = set(re.findall(r"\b((?:mlflow|kubelet|container)_[a-z_]+)(?:\{|\[|, namespace)", text))
    # For what this server does not have, test_read_replica.py and test_audit_end.py look.
    others = {name for name in asked if name.startswith(("mlflow_database_replica_", "mlflow_audit_"))}
    assert len(others) == 3 and not others & exposed
    assert asked - exposed - others == KUBELET
    assert len(asked) > 25


def test_work_in_progress_shows_while_it_waits(direct: Pod) -> None:
    """Six requests that the database holds up: their threads and connections are in use, then are not."""
    page = direct.metrics.until(16, "mlflow_http_threads")
    assert page.sum("mlflow_database_pool_limit") == 5 + 10
    env = direct.stores.env
    lock = psycopg2.connect(
        host=env["PGHOST"],
        port=env["PGPORT"],
        user=env["PGUSER"],
        password=env["PGPASSWORD"],
        dbname=env["PGDATABASE"],
    )
    lock.cursor().execute("LOCK TABLE experiments")
    threads = [threading.Thread(target=direct.get) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        direct.metrics.until(6, "mlflow_http_requests_in_progress")
        used = "mlflow_database_pool_used"  # of the busier of two workers
        wait_until("connections", lambda: 3 <= direct.metrics.page().sum(used) <= 6)
    finally:
        lock.close()
    for thread in threads:
        thread.join()
    direct.metrics.until(0, "mlflow_http_requests_in_progress")
    direct.metrics.until(0, "mlflow_database_pool_used")


def test_nothing_is_lost_with_a_worker(direct: Pod) -> None:
    before = direct.metrics.page().sum(TOTAL)
    gone = direct.server.workers()[0]
    os.kill(gone, signal.SIGKILL)
    wait_until(
        "another worker", lambda: gone not in direct.server.workers() and len(direct.server.workers()) == 2
    )
    assert direct.get().ok
    assert direct.metrics.page().sum(TOTAL) == before + 1
    direct.metrics.until(16, "mlflow_http_threads")


def test_nothing_is_lost_with_the_server(direct: Pod) -> None:
    """A container that is killed and starts again in its pod: counters go on, threads count once."""
    before = direct.metrics.page().sum(TOTAL)
    assert direct.metrics.page().sum("mlflow_server_up") == 1
    direct.server.kill()
    assert direct.metrics.page().sum("mlflow_server_up") == 0
    assert direct.metrics.page().sum(TOTAL) == before
    direct.server.start().ready()
    assert direct.metrics.page().sum("mlflow_server_up") == 1
    assert direct.get().ok
    assert direct.metrics.page().sum(TOTAL) == before + 1
    direct.metrics.until(16, "mlflow_http_threads")


def test_it_costs_little(pod: Pod) -> None:
    assert pod.metrics.memory() < 40
    pod.stores.until(1, "mlflow_artifact_store_up")
    assert pod.stores.memory() < 50, "less than with a library for the artifact store in it"


def test_a_server_with_the_charts_workers_fits_its_request(direct: Pod) -> None:
    """So a node that has room for the request has room for the pod."""
    mlflow = yaml.safe_load((MONITORING.parent / "values.yaml").read_text())["mlflow"]
    assert len(direct.server.workers()) == mlflow["workers"]
    assert mlflow["resources"]["requests"]["memory"] == "512Mi"
    assert 50 < direct.server.memory() < 260


def test_a_word_for_a_wrong_part(home: Path) -> None:
    metrics = Metrics(home, ("worker",), {}).start()
    assert metrics.process.wait(30) == 1
    assert re.fullmatch(
        r"mlflow: metrics: \['worker'\] are not its parts; name workers, stores or both\.\n",
        metrics.log.read_text(),
    )
