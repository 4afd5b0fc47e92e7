"""A node: its own namespaces and control groups, in which its daemons run."""

import contextlib
import os
import signal
from pathlib import Path

from mlflowops import shell

from testbed import tools
from testbed.cluster import cgroups, network
from testbed.cluster.layout import Node
from testbed.cluster.waiting import wait_until

BINARIES = ("containerd", "containerd-shim-runc-v2", "lab", "runc")
DAEMONS = ("containerd", "kubelet", "kube-proxy", "lab")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def init_pid(node: Node) -> int | None:
    """The machine's number of the node's process 1, or None if the node is off."""
    for pid in cgroups.processes(_daemons_group(node)):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            numbers = status.split("NSpid:")[1].splitlines()[0].split()
            if numbers[1:] == ["1"]:  # a container's would have a third
                return pid
    return None


def log(node: Node, daemon: str) -> Path:
    """The log file of one of its daemons."""
    return node.folder / "log" / f"{daemon}.log"


def disk(node: Node) -> Path:
    """What the node sees as /var/lib."""
    return node.folder / "lib"


def ctr(node: Node) -> list[str | Path]:
    """The command line that reaches the node's containerd. The node must be on."""
    socket = f"/proc/{init_pid(node)}/root/run/containerd/containerd.sock"
    return [tools.ensure("ctr"), "--address", socket, "--namespace", "k8s.io"]


def answers(node: Node) -> bool:
    """Whether the node's containerd is up."""
    return shell.run([*ctr(node), "version"], check=False).returncode == 0


def start(node: Node, kubernetes: Path, more_daemons: tuple[str, ...] = ()) -> None:
    """Start a node that is off, with that binary of Kubernetes.

    Its settings must be written, and what was left of it cleared.
    """
    _boot(node, kubernetes, (*DAEMONS, *more_daemons))
    connect(node)


def connect(node: Node) -> None:
    """Connect a node that is on to the network, unless it is."""
    pid = wait_until(lambda: init_pid(node), 10, f"start of {node.name}", [log(node, "boot")], every=0.02)
    network.connect(node, pid)


def kill(node: Node) -> None:
    """A power cut: the kernel ends all of the node's processes and drops their mounts and links."""
    pid = init_pid(node)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    cgroups.kill(node.cgroup)
    network.disconnect(node)
    cgroups.remove(node.cgroup)


def _boot(node: Node, kubernetes: Path, daemons: tuple[str, ...]) -> None:
    groups = cgroups.create(_daemons_group(node))
    for folder in (disk(node), log(node, "boot").parent):
        folder.mkdir(parents=True, exist_ok=True)
    programs = {"kubernetes": kubernetes, **{name: tools.ensure(name) for name in BINARIES}}
    settings = {
        "PATH": PATH,
        "NODE_NAME": node.name,
        "NODE_FOLDER": node.folder,
        "NODE_ADDRESS": node.address,
        "NODE_TOOLS": " ".join(f"{name}={path.resolve()}" for name, path in programs.items()),
        "NODE_DAEMONS": " ".join(daemons),
        "SERVICE_RANGE": node.layout.service_range,
    }
    # A session of its own, and none of the caller's environment: it may hold what is not the cluster's.
    clean = ["setsid", "--fork", "env", "--ignore-environment", *(f"{k}={v}" for k, v in settings.items())]
    shell.run([*clean, "bash", node.folder / "etc" / "node-boot.sh", *groups], log=log(node, "boot"))


def _daemons_group(node: Node) -> str:
    return f"{node.cgroup}/daemons"
