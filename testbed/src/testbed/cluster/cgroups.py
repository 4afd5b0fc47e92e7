"""Control groups, in version 1 (a tree per controller) and version 2 (one tree).

Every process of a cluster is in its groups and no other process is: they list what runs and what to end.
"""

import contextlib
import os
import signal
from pathlib import Path

from mlflowops.errors import OpsError

from testbed.cluster.waiting import wait_until

V2_CONTROLLERS = ("cpu", "cpuset", "io", "memory", "pids")


def create(group: str) -> list[Path]:
    """Make a group in every tree and return its folders."""
    try:
        return [_create(tree, tree / group.lstrip("/")) for tree in _trees()]
    except OSError as error:
        wrong = f"control groups cannot be made here ({error})"
        raise OpsError("cluster", wrong, "use a machine or container where root may write them") from error


def processes(group: str) -> list[int]:
    """All processes in a group and below it."""
    found: set[int] = set()
    for tree in _trees()[:1]:  # a process is in the same group of each tree
        for file in (tree / group.lstrip("/")).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):  # the group went meanwhile
                found.update(int(line) for line in file.read_text().split())
    return sorted(found)


def kill(group: str) -> None:
    """Kill every process in a group and below it, and wait until they are gone."""

    def none_left() -> bool:
        for pid in processes(group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not processes(group)

    wait_until(none_left, 30, f"end of all processes in {group}", every=0.05)


def remove(group: str) -> None:
    """Remove a group and those below it from every tree. They must be empty."""
    for tree in _trees():
        folder = tree / group.lstrip("/")
        wait_until(lambda folder=folder: _removed(folder), 10, f"removal of {folder}", every=0.05)  # type: ignore[misc]


def _removed(folder: Path) -> bool:
    if not folder.exists():
        return True
    with contextlib.suppress(OSError):  # the kernel may need a moment after the last process
        for below in sorted(folder.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
            below.rmdir()
        folder.rmdir()
    return not folder.exists()


def _trees() -> list[Path]:
    """Where the trees are mounted; a machine that has both versions mounts version 2 besides."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    trees = [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]
    if not trees:
        wrong = "this machine has no control groups"
        raise OpsError("cluster", wrong, "mount them at /sys/fs/cgroup, or install kind and start docker")
    return trees


def _create(tree: Path, folder: Path) -> Path:
    below = [path for path in reversed(folder.parents) if path.is_relative_to(tree)]
    for parent, child in zip(below, [*below[1:], folder], strict=True):
        version_2 = (parent / "cgroup.controllers").exists()
        if version_2:
            _delegate(parent)
        child.mkdir(exist_ok=True)
        if not version_2 and (child / "cpuset.cpus").exists():
            _inherit_cpus(child)
    return folder


def _delegate(folder: Path) -> None:
    """Version 2: let the groups below have controllers."""
    available = (folder / "cgroup.controllers").read_text().split()
    wanted = [f"+{name}" for name in V2_CONTROLLERS if name in available]
    if wanted:
        (folder / "cgroup.subtree_control").write_text(" ".join(wanted))


def _inherit_cpus(folder: Path) -> None:
    """Version 1: a new cpuset has no CPU and no memory, and takes no process."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        if not (folder / file).read_text().strip():
            (folder / file).write_text((folder.parent / file).read_text())
