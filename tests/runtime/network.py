"""Loopback ports for the servers of a test."""

import itertools
import os
import random
import socket
import subprocess
import time
from collections.abc import Callable

# A test chooses a port now, its server opens it later. No other program may take it in between: no connection
# (the kernel gives those ports from 32768 on) and no other worker of the suite (each has a share of its own).
FIRST, SHARE, WORKERS = 10_000, 1_000, 10
BESIDE = 10_000  # SeaweedFS puts gRPC on its port plus 10,000
_steps = itertools.count(random.randrange(SHARE))


def free_port() -> int:
    """A port for a server of this test, to be opened at any time; the port 10,000 above it is free too."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    for step in itertools.islice(_steps, SHARE):
        port = FIRST + worker * SHARE + step % SHARE
        if _can_open(port) and _can_open(port + BESIDE):
            return port
    raise AssertionError(f"all {SHARE} ports of worker {worker} are taken")


def _can_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Whether a program accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what: str, true: Callable[[], bool], seconds: float = 300) -> None:
    """Wait for a condition, or fail with its name."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read a process' output up to the line that has this text, and return the line."""
    assert process.stdout
    seen = []
    for line in process.stdout:
        if text in line:
            return line
        seen.append(line)
    raise AssertionError(f"it ended without saying {text!r}: {''.join(seen)}")
