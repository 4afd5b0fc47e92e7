"""Faults of processes, containers and pods of the server."""

import signal

import pytest

from e2e.faults.host_processes import node_of_machine, of_container, send
from e2e.faults.inside_pod import kill, launcher, workers
from e2e.faults.release import Release
from e2e.kube import eventually


def test_a_worker_is_killed(release: Release) -> None:
    pod = release.names()[0]
    before = workers(release, pod)

    def happen() -> None:
        kill(release, pod, before[0])
        eventually(lambda: len({*workers(release, pod)} - {*before}) == 1, 60, "a new worker")

    outcome = release.under_load("A worker process is killed", happen)
    assert outcome.restarts == 0
    assert set(outcome.refused) <= {"no answer"}


def test_a_pod_is_deleted_without_grace(release: Release) -> None:
    def happen() -> None:
        release.kube.core.delete_namespaced_pod(release.names()[0], release.namespace, grace_period_seconds=0)

    outcome = release.under_load("A pod is deleted without a grace period", happen)
    assert set(outcome.refused) <= {"no answer"}


@pytest.mark.nightly
def test_the_launcher_is_killed(release: Release) -> None:
    pod = release.names()[0]

    def happen() -> None:
        kill(release, pod, launcher(release, pod))

    outcome = release.under_load("The launcher of a pod is killed", happen)
    assert outcome.restarts == 1
    assert set(outcome.refused) <= {"no answer"}


@pytest.mark.nightly
def test_a_container_is_killed(release: Release) -> None:
    pod = release.pods()[0]
    node_of_machine(pod.spec.node_name)

    def happen() -> None:
        send(of_container(release.kube, release.namespace, pod.metadata.name, "mlflow"), signal.SIGKILL)

    outcome = release.under_load("All processes of a container are killed", happen)
    assert outcome.restarts == 1
    assert set(outcome.refused) <= {"no answer"}


@pytest.mark.nightly
def test_all_pods_are_deleted_without_grace(release: Release) -> None:
    def happen() -> None:
        for name in release.names():
            release.kube.core.delete_namespaced_pod(name, release.namespace, grace_period_seconds=0)

    release.under_load("All pods are deleted without a grace period", happen)
