"""Loopback ports for the servers of a test."""

import socket
import subprocess
import time
from collections.abc import Callable


def free_port(below: int = 55_000) -> int:
    """A port that nobody listens on; SeaweedFS also takes that port plus 10,000, so it is below 55,000."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port < below and not listens(port + 10_000):
            return int(port)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what: str, true: Callable[[], bool], seconds: float = 120) -> None:
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
