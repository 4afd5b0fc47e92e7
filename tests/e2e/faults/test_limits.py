"""Containers reach their limits of memory and CPU while people track."""

import time
from datetime import timedelta

import pytest

from e2e.faults.conftest import VALUES, Change
from e2e.faults.inside_pod import launcher, oom_kills, workers
from e2e.faults.outcome import NO_ANSWER
from e2e.faults.release import Release
from e2e.kube import eventually

pytestmark = pytest.mark.nightly

SECONDS = 60
SMALL = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "448Mi"}}
# A client sends one body of 30 MB, which takes more than 400 MiB when it is read.
PRESSURE = """
import contextlib, http.client
point = '{"key": "loss", "value": 1.5, "timestamp": 1, "step": 1},'
body = '{"run_id": "0", "metrics": [' + (point * (30_000_000 // len(point))).rstrip(",") + "]}"
client = http.client.HTTPConnection("127.0.0.1", 5000, timeout=60)
with contextlib.suppress(OSError):
    url, kind = "/api/2.0/mlflow/runs/log-batch", {"Content-Type": "application/json"}
    client.request("POST", url, body.encode(), kind)
    client.getresponse().read()
"""
# The kernel then kills this process first, whichever has more memory: those of a Guaranteed pod have -997.
FIRST = "echo 1000 > /proc/{}/oom_score_adj"


def guaranteed(cpu: str, memory: str) -> dict[str, dict[str, str]]:
    """Resources whose requests are their limits; a pod is Guaranteed if each of its containers has such."""
    return {kind: {"cpu": cpu, "memory": memory} for kind in ("requests", "limits")}


def press(release: Release, pod: str) -> None:
    """Let the container need more memory than it may have."""
    before = oom_kills(release, pod)
    release.kube.exec(release.namespace, pod, ["python", "-c", PRESSURE], "mlflow")
    assert oom_kills(release, pod) > before, "its limit was not reached"


def test_a_worker_is_out_of_memory(release: Release, change: Change) -> None:
    """The kernel kills the worker, and the launcher starts another one."""
    change(mlflow={**VALUES["mlflow"], "resources": SMALL})
    pod = release.names()[0]
    before = workers(release, pod)

    def happen() -> None:
        press(release, pod)
        eventually(lambda: {*workers(release, pod)} - {*before}, 60, "a new worker")

    outcome = release.under_load("A worker process is killed at the memory limit", happen)
    assert outcome.restarts == 0
    assert set(outcome.refused) <= {NO_ANSWER, "503"}


def test_a_container_is_out_of_memory(release: Release, change: Change) -> None:
    """The kernel kills the launcher, and under cgroup v2 all processes: Kubernetes restarts the container."""
    change(
        mlflow={**VALUES["mlflow"], "resources": guaranteed("500m", "448Mi")},
        metrics={"resources": guaranteed("100m", "128Mi")},
    )
    pod = release.names()[0]
    release.kube.exec(release.namespace, pod, ["sh", "-c", FIRST.format(launcher(release, pod))], "mlflow")

    def happen() -> None:
        release.kube.exec(release.namespace, pod, ["python", "-c", PRESSURE], "mlflow")
        eventually(lambda: ended(release, pod), 60, "the end of the container")

    outcome = release.under_load("A container is killed at its memory limit", happen)
    assert outcome.restarts == 1
    assert ended(release, pod) == "OOMKilled"
    assert set(outcome.refused) <= {NO_ANSWER, "503"}


def ended(release: Release, pod: str) -> str:
    """Why the container of the server has ended, as Kubernetes says it; empty before it has."""
    statuses = release.kube.core.read_namespaced_pod(pod, release.namespace).status.container_statuses
    (server,) = [each for each in statuses if each.name == "mlflow"]
    return str(server.last_state.terminated.reason) if server.last_state.terminated else ""


@pytest.mark.parametrize("cpu", ["100m", "250m"])
def test_the_cpu_limit_is_low(release: Release, change: Change, cpu: str) -> None:
    """New pods get Ready with so little CPU, and no probe restarts one while it serves."""
    resources = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": cpu, "memory": "1Gi"}}
    starts: list[timedelta] = []

    def happen() -> None:
        change(mlflow={**VALUES["mlflow"], "resources": resources})
        starts.extend(seconds_to_ready(release))
        time.sleep(SECONDS)

    cores = int(cpu.removesuffix("m")) / 1000
    outcome = release.under_load(f"Each server container may use {cores} CPU", happen)
    print(f"Ready after {', '.join(f'{each.total_seconds():.0f} s' for each in starts)} with {cores} CPU")
    assert outcome.restarts == 0
    assert set(outcome.refused) <= {"503"}


def seconds_to_ready(release: Release) -> list[timedelta]:
    """From the begin of each server pod to its readiness."""
    return [
        each.last_transition_time - pod.status.start_time
        for pod in release.pods()
        for each in pod.status.conditions
        if each.type == "Ready"
    ]
