"""Processes of a server pod, seen and ended from inside of its container."""

from e2e.faults.release import Release

# Numbers of the children of a process, from /proc; field 4 of stat, after a name that may have spaces.
CHILDREN = """
import pathlib, sys
for each in pathlib.Path("/proc").glob("[0-9]*/stat"):
    try:
        text = each.read_text()
    except OSError:
        continue
    if text.rpartition(")")[2].split()[1] == sys.argv[1]:
        print(each.parent.name)
"""

# How often the kernel has killed a process at the container's limit: cgroup v2, else v1.
OOM_KILLS = """
import pathlib
group = pathlib.Path("/sys/fs/cgroup")
files = group / "memory.events", group / "memory/memory.oom_control"
text = next(each.read_text() for each in files if each.exists())
print(dict(line.split() for line in text.splitlines())["oom_kill"])
"""


def oom_kills(release: Release, pod: str) -> int:
    """Processes of the container `mlflow` that the kernel has killed for want of memory."""
    return int(release.kube.exec(release.namespace, pod, ["python", "-c", OOM_KILLS], "mlflow"))


def children(release: Release, pod: str, parent: int) -> list[int]:
    """Processes of the container `mlflow` that this one has started."""
    command = ["python", "-c", CHILDREN, str(parent)]
    return sorted(int(each) for each in release.kube.exec(release.namespace, pod, command, "mlflow").split())


def launcher(release: Release, pod: str) -> int:
    """The process that has started the workers: the child of process 1 which has children itself."""
    return next(each for each in children(release, pod, 1) if children(release, pod, each))


def workers(release: Release, pod: str) -> list[int]:
    return children(release, pod, launcher(release, pod))


def kill(release: Release, pod: str, process: int) -> None:
    """With a signal that nothing can catch."""
    release.kube.exec(release.namespace, pod, ["sh", "-c", f"kill -KILL {process}"], "mlflow")
