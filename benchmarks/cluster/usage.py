"""CPU and memory of containers, read inside them: the files are the same on every cluster."""

import json
from typing import Any

from e2e.kube import Kube

# Version 1 of control groups, then version 2. The images have no more programs than these.
CPU = "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || cat /sys/fs/cgroup/cpu.stat"
MEMORY = "cat /sys/fs/cgroup/memory/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory.stat"
SUM_PSS = """
import glob, json, os
total = processes = 0
for path in set(glob.glob('/proc/[0-9]*/smaps_rollup')) - {f'/proc/{os.getpid()}/smaps_rollup'}:
    try:
        total += next(int(line.split()[1]) for line in open(path) if line.startswith('Pss:'))
        processes += 1
    except (OSError, StopIteration):
        pass
print(json.dumps({'mib': round(total / 1024), 'processes': processes}))
"""


class Usage:
    """Reads one container."""

    def __init__(self, kube: Kube, namespace: str, pod: str, container: str) -> None:
        self.kube, self.namespace, self.pod, self.container = kube, namespace, pod, container

    def cpu_ms(self) -> float:
        """Return the CPU time that it has used, in milliseconds."""
        return cpu_milliseconds(self._shell(CPU))

    def anonymous_mib(self) -> float:
        """Return the memory of its processes without the page cache, in MiB."""
        return anonymous_bytes(self._shell(MEMORY)) / 2**20

    def pss(self) -> dict[str, Any]:
        """Return the PSS of all processes that it sees, in MiB, and how many they are."""
        said = self.kube.exec(self.namespace, self.pod, ["python", "-c", SUM_PSS], self.container)
        found: dict[str, Any] = json.loads(said.replace("'", '"'))
        return found

    def _shell(self, script: str) -> str:
        return self.kube.exec(self.namespace, self.pod, ["sh", "-c", script], self.container)


def cpu_milliseconds(said: str) -> float:
    """Return the CPU time of a control group: nanoseconds in version 1, microseconds in version 2."""
    return int(_table(said)["usage_usec"]) / 1e3 if "usage_usec" in said else int(said) / 1e6


def anonymous_bytes(said: str) -> int:
    """Return the memory of processes in `memory.stat`, without the page cache."""
    found = _table(said)
    return int(found["total_rss"] if "total_rss" in found else found["anon"])


def _table(said: str) -> dict[str, str]:
    return dict(line.split() for line in said.splitlines())
