"""Faults of the object store. Calls without an artifact are answered as always, and no server restarts."""

import time

import pytest

from e2e.faults.host_processes import frozen, node_of_machine, of_container
from e2e.faults.outcome import NO_ANSWER, Outcome
from e2e.faults.place import first_node
from e2e.faults.postgres import stopped
from e2e.faults.release import Release
from e2e.faults.seaweedfs import POD, full
from e2e.faults.store_way import StoreWay

pytestmark = pytest.mark.nightly

SECONDS = 20
# Longer than people wait for an answer.
FROZEN = 75


def only(outcome: Outcome, *calls: str) -> None:
    """Some of these calls were refused, and no other one."""
    assert outcome.restarts == 0
    assert outcome.refused_calls
    assert set(outcome.refused_calls) <= set(calls), outcome.refused_calls


def is_bad(release: Release, store_way: StoreWay, mode: str, what: str) -> Outcome:
    """What people saw while the way to the store was bad."""

    def happen() -> None:
        with store_way.bad(mode):
            time.sleep(SECONDS)

    return release.under_load(f"The object store {what} for {SECONDS} s", happen)


def test_the_object_store_is_stopped(release: Release, store_way: StoreWay) -> None:
    def happen() -> None:
        stopped(release.kube, release.namespace, "seaweedfs", SECONDS)

    with store_way.left_out():
        outcome = release.under_load(f"The object store is stopped for {SECONDS} s", happen)
    only(outcome, "upload", "download")
    assert set(outcome.refused) == {"503"}


def test_the_object_store_is_frozen(release: Release) -> None:
    """Its kernel takes connections, so uploads and downloads wait; people give up after 60 s."""
    node_of_machine(first_node(release.kube))

    def happen() -> None:
        with frozen(lambda: of_container(release.kube, release.namespace, POD, "seaweedfs")):
            time.sleep(FROZEN)

    outcome = release.under_load(f"The object store is frozen for {FROZEN} s", happen)
    only(outcome, "upload", "download")
    assert set(outcome.refused) <= {"503", NO_ANSWER}


def test_the_object_store_is_slow(release: Release, store_way: StoreWay) -> None:
    outcome = is_bad(release, store_way, "slow", "takes 2 s more for each request")
    assert outcome.restarts == 0
    assert not outcome.refused
    assert outcome.slowest > 2


def test_the_object_store_answers_503(release: Release, store_way: StoreWay) -> None:
    outcome = is_bad(release, store_way, "503", "answers 503")
    only(outcome, "upload", "download")
    assert set(outcome.refused) == {"503"}


def test_the_object_store_answers_403(release: Release, store_way: StoreWay) -> None:
    """As one that no longer takes the server's keys, which does not pass by itself."""
    outcome = is_bad(release, store_way, "403", "answers 403")
    only(outcome, "upload", "download")
    assert set(outcome.refused) <= {"403", "500"}


def test_the_object_store_is_full(release: Release) -> None:
    def happen() -> None:
        with full(release.kube, release.namespace):
            time.sleep(SECONDS)

    only(release.under_load(f"The object store is full for {SECONDS} s", happen), "upload")
