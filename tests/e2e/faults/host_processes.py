"""Processes of containers and nodes, seen from the machine that the cluster runs on."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflowops.paths import REPO
from testbed.cluster.layout import Layout, Node
from testbed.cluster.source import Source

from e2e.kube import Kube, eventually
from testbed import cluster
from testbed.cluster import cgroups, node


def of_container(kube: Kube, namespace: str, pod: str, container: str) -> list[int]:
    """All processes of a container, the oldest first."""
    statuses = kube.core.read_namespaced_pod(pod, namespace).status.container_statuses
    (found,) = [each.container_id for each in statuses if each.name == container]
    name = found.rpartition("/")[2]
    return [pid for pid in _all() if name in _groups(pid)]


def _all() -> list[int]:
    return sorted(int(each.name) for each in Path("/proc").glob("[0-9]*"))


def _groups(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cgroup").read_text()
    return ""


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def frozen(processes: Callable[[], list[int]]) -> Iterator[None]:
    """None of these processes runs in the block; the kernel still accepts connections for them."""
    try:
        eventually(lambda: not _stop_running(processes()), 10, "all processes are stopped", every=0.05)
        yield
    finally:
        send(processes(), signal.SIGCONT)


# Mount a file system of 32 MB at /tmp of another process, or take it away again. It runs by itself: a process
# with several threads may not enter the mounts of another one.
MOUNT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
space = os.open(f"/proc/{sys.argv[1]}/ns/mnt", os.O_RDONLY)
failed = libc.setns(space, 0x20000)
if sys.argv[2] == "mount":
    failed = failed or libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"size=32m,mode=1777")
else:
    failed = failed or libc.umount2(b"/tmp", 2)
sys.exit(os.strerror(ctypes.get_errno()) if failed else 0)
"""


@contextlib.contextmanager
def on_small_tmp(pid: int) -> Iterator[None]:
    """In the block the container of a process has its /tmp on a disk of 32 MB, which is empty at first."""

    def change(what: str) -> None:
        subprocess.run([sys.executable, "-c", MOUNT, str(pid), what], check=True)

    change("mount")
    try:
        yield
    finally:
        change("umount")


def _stop_running(pids: list[int]) -> list[int]:
    running = [pid for pid in pids if _state(pid) not in "TZX"]
    send(running, signal.SIGSTOP)
    return running


def _state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "X"


class NodeOfMachine:
    """A node of a cluster from source, which this machine can freeze and switch off."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def processes(self) -> list[int]:
        """The node's daemons and containers."""
        return cgroups.processes(self.node.cgroup)

    def power_cut(self) -> None:
        """Kill its process 1: the kernel ends all the others and drops mounts and links."""
        node.kill(self.node)

    def switch_on(self) -> None:
        """With its disk as it was; returns when Kubernetes has the node again."""
        subprocess.run([REPO / ".venv/bin/testbed", "cluster", "up"], check=True, capture_output=True)


def node_of_machine(name: str) -> NodeOfMachine:
    """A node by its name in Kubernetes; skips the test where nodes are not processes of this machine."""
    found = cluster.current(os.environ["MLFLOWOPS_CLUSTER"])
    if os.geteuid() != 0 or not isinstance(found, Source):
        pytest.skip("takes root on the machine of a cluster from source")
    layout = Layout(json.loads((found.folder / "layout.json").read_text())["index"], found.folder)
    return NodeOfMachine(layout.node(int(name.removeprefix("node"))))
