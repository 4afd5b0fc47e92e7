"""The folder /tmp, through which artifacts pass, is full: beyond its limit, or on a disk without room."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from mlflow import MlflowClient
from runtime.jobs import job, score
from runtime.traces import trace

from e2e.faults.conftest import Change
from e2e.faults.host_processes import node_of_machine, of_container, on_small_tmp
from e2e.faults.outcome import NO_ANSWER
from e2e.faults.release import Release
from e2e.faults.tasks import BUSY, Tasks
from e2e.faults.test_background_job import RESOURCES, SERVER, inside_the_job, slow
from e2e.kube import eventually

pytestmark = pytest.mark.nightly

SECONDS = 20
LIMIT = {"sizeLimit": "64Mi"}
FILL = "head -c 96M /dev/zero > /tmp/filler"
# The kubelet measures volumes once a minute.
EVICTION = 180


def fill_until_evicted(release: Release, pod: str, container: str) -> None:
    """Write more into its /tmp than the limit allows, and wait until the kubelet ends the pod for it."""
    release.kube.exec(release.namespace, pod, ["sh", "-c", FILL], container)

    def evicted() -> str:
        status = release.kube.core.read_namespaced_pod(pod, release.namespace).status
        return str(status.message) if (status.phase, status.reason) == ("Failed", "Evicted") else ""

    reason = eventually(evicted, EVICTION, f"eviction of {pod}")
    assert "tmp" in reason and "exceeds the limit" in reason, reason
    release.kube.core.delete_namespaced_pod(pod, release.namespace, grace_period_seconds=0)


def test_tmp_of_a_server_is_over_its_limit(release: Release, change: Change) -> None:
    """Kubernetes ends this pod without a grace period; the other one serves until there is a new one."""
    change(tmp=LIMIT)
    pod = release.names()[0]
    outcome = release.under_load(
        "A server pod's /tmp is over its limit", lambda: fill_until_evicted(release, pod, "mlflow")
    )
    assert set(outcome.refused) <= {NO_ANSWER}


@contextmanager
def full_tmp(release: Release, pod: str) -> Iterator[None]:
    """In the block its /tmp is on a disk without a free byte."""
    with on_small_tmp(of_container(release.kube, release.namespace, pod, "mlflow")[0]):
        fill = "head -c 96M /dev/zero > /tmp/filler 2>/dev/null; df /tmp | tail -1"
        said = release.kube.exec(release.namespace, pod, ["sh", "-c", fill], "mlflow")
        assert "100%" in said, said
        yield


def test_the_disk_of_tmp_is_full(release: Release) -> None:
    """As on a node whose disk is full: who uploads or downloads there is told to try again."""
    pod = release.pods()[0]
    node_of_machine(pod.spec.node_name)

    def happen() -> None:
        with full_tmp(release, pod.metadata.name):
            time.sleep(SECONDS)

    fault = f"The disk of one of two pods' /tmp is full for {SECONDS} s"
    outcome = release.under_load(fault, happen)
    assert outcome.restarts == 0
    assert set(outcome.refused) == {"503"}
    assert set(outcome.refused_calls) <= {"upload", "download"}, outcome.refused_calls


def test_tmp_of_background_jobs_is_over_its_limit(release: Release, tasks: Tasks, change: Change) -> None:
    """The next pod does the job again that was interrupted, and no server notices."""
    change(mlflow=SERVER, jobs={"enabled": True, "resources": RESOURCES}, tmp=LIMIT)
    url = f"http://{release.kube.services.get(release.namespace, 'mlflow')}"
    scored = trace(url)
    job_id = score(url, scored, slow)

    def happen() -> None:
        first = eventually(lambda: inside_the_job(tasks), 120, "the job begins").metadata.name
        fill_until_evicted(release, first, "jobs")
        second = eventually(lambda: inside_the_job(tasks, first), 300, "it begins again")
        tasks.kube.exec(tasks.namespace, second.metadata.name, ["touch", "/tmp/go"], "jobs")
        eventually(lambda: job(url, job_id)["status"] == "SUCCEEDED", 120, "its success")

    outcome = release.under_load("The /tmp of the pod of background jobs is over its limit", happen)
    assert set(outcome.refused) <= BUSY
    (assessment,) = MlflowClient(url).get_trace(scored).info.assessments
    assert assessment.value is True
