"""The control plane is gone while people track; they need none of it."""

import time

import pytest

from e2e.faults.control_plane import down
from e2e.faults.host_processes import node_of_machine
from e2e.faults.place import first_node
from e2e.faults.release import Release

SECONDS = 60


@pytest.mark.nightly
def test_etcd_and_the_api_server_are_down(release: Release) -> None:
    node = node_of_machine(first_node(release.kube))

    def happen() -> None:
        with down(release.kube, node, "etcd", "kube-apiserver"):
            time.sleep(SECONDS)

    outcome = release.under_load(f"etcd and the API server are down for {SECONDS} s", happen)
    assert outcome.lasted >= SECONDS
    assert not outcome.refused
    assert outcome.restarts == 0
