"""Daemons of the control plane: ended, and kept from starting again for a while."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from e2e.faults.host_processes import NodeOfMachine
from e2e.kube import Kube, eventually


@contextlib.contextmanager
def down(kube: Kube, node: NodeOfMachine, *daemons: str) -> Iterator[None]:
    """End daemons of a node for the block; after it the API server answers again."""
    keepers: list[int] = []
    try:
        keepers.extend(_end(node, each) for each in daemons)
        yield
    finally:
        for keeper in keepers:
            os.kill(keeper, signal.SIGCONT)
        eventually(lambda: _answers(kube), 60, "the API server answers")


def _end(node: NodeOfMachine, daemon: str) -> int:
    """Stop the process that would start the daemon again, and kill the daemon; the one that was stopped."""
    process = next(each for each in node.processes() if _is(each, daemon))
    keeper = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGSTOP)
    os.kill(process, signal.SIGKILL)
    return keeper


def _is(process: int, daemon: str) -> bool:
    with contextlib.suppress(OSError):  # it has ended meanwhile
        return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[1:2] == [daemon.encode()]
    return False


def _answers(kube: Kube) -> bool:
    with contextlib.suppress(Exception):
        return bool(kube.core.list_node(_request_timeout=5).items)
    return False
