"""Faults of the node of one of the two server pods, and of DNS. People and stores are on the other node."""

import time
from collections.abc import Iterator

import pytest

from e2e.drain import cordoned, evicted
from e2e.faults.host_processes import NodeOfMachine, frozen, node_of_machine
from e2e.faults.place import other_nodes
from e2e.faults.release import Release
from e2e.kube import Kube, eventually

pytestmark = pytest.mark.nightly

# Kubernetes takes 50 s to call a node NotReady that says nothing; only then its pods get no more requests.
NOTICED = 75
DNS = "k8s-app=kube-dns"


@pytest.fixture
def node(release: Release) -> str:
    """The other node, with one of the two pods."""
    (name,) = other_nodes(release.kube)[:1]
    spread(release)
    assert name in {pod.spec.node_name for pod in release.pods()}
    return name


def spread(release: Release) -> None:
    """A pod on each node, as the chart's spread makes them where there is room."""
    pods = release.pods()
    if len({pod.spec.node_name for pod in pods}) == 1:
        with cordoned(release.kube, pods[0].spec.node_name):
            assert evicted(release.kube, pods[0])
            release.pods()


@pytest.fixture
def machine(release: Release, node: str) -> Iterator[NodeOfMachine]:
    """The node, without the only pod of the cluster's DNS."""
    found = node_of_machine(node)
    with cordoned(release.kube, node):
        for pod in release.kube.pods("kube-system", DNS):
            if pod.spec.node_name == node:
                release.kube.core.delete_namespaced_pod(pod.metadata.name, "kube-system")
        release.kube.wait_ready("kube-system", 1, selector=DNS)
    yield found
    found.switch_on()


def is_ready(kube: Kube, node: str) -> bool:
    conditions = {each.type: each.status for each in kube.core.read_node(node).status.conditions}
    return conditions["Ready"] == "True"


def test_a_node_is_drained(release: Release, node: str) -> None:
    def happen() -> None:
        with cordoned(release.kube, node):
            for pod in release.pods():
                if pod.spec.node_name == node:
                    assert evicted(release.kube, pod)
            release.pods()

    outcome = release.under_load("A node is drained", happen)
    assert not outcome.refused
    assert outcome.restarts == 0


def test_a_node_is_frozen(release: Release, node: str, machine: NodeOfMachine) -> None:
    def happen() -> None:
        with frozen(machine.processes):
            time.sleep(NOTICED)
        eventually(lambda: is_ready(release.kube, node), 120, "the node is Ready again")

    release.under_load(f"A node is frozen for {NOTICED} s", happen)


def test_a_node_is_gone(release: Release, node: str, machine: NodeOfMachine) -> None:
    def happen() -> None:
        machine.power_cut()
        time.sleep(NOTICED)
        machine.switch_on()
        eventually(lambda: is_ready(release.kube, node), 120, "the node is Ready again")

    release.under_load(f"A node loses its power, and is back after {NOTICED} s", happen)


def test_dns_is_down(release: Release) -> None:
    """The server needs names for new connections only: to PostgreSQL, and for uploads to the object store."""
    kube = release.kube
    name = kube.apps.list_namespaced_deployment("kube-system", label_selector=DNS).items[0].metadata.name

    def scale(count: int) -> None:
        kube.apps.patch_namespaced_deployment_scale(name, "kube-system", {"spec": {"replicas": count}})

    def happen() -> None:
        scale(0)
        eventually(lambda: not kube.pods("kube-system", DNS), 60, "end of DNS")
        time.sleep(20)
        scale(1)
        kube.wait_ready("kube-system", 1, selector=DNS)

    outcome = release.under_load("The cluster's DNS is down", happen)
    assert outcome.restarts == 0
