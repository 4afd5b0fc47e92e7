"""Runs wrk for one slice of time."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Request
from testbed import tools

SCRIPT = Path(__file__).with_name("replay.lua")
TIMEOUT_SECONDS = 60


class GeneratorFailed(Exception):
    """wrk ended without a result."""


def write_requests(path: Path, requests: Iterable[Request]) -> None:
    """Write requests to a file, in the form that replay.lua reads."""
    lines = (f"{each.method}\t{each.path}\t{each.body.hex()}\n" for each in requests)
    path.write_text("".join(lines))


def drive(
    url: str, file: Path, clients: int, seconds: float, first: int, headers: dict[str, str]
) -> dict[str, Any]:
    """Send the requests of a file, one after the other from each client.

    Args:
        url: Address of the server.
        file: What `write_requests` wrote.
        clients: Number of connections.
        seconds: Duration of the slice.
        first: The number of the first request, another one in each slice of a run.
        headers: Headers of every request.

    Returns:
        Requests, seconds, bytes, errors (answers of 400 and above, failed connections, timeouts), and
        milliseconds of p50, p95, p99 and max.

    Raises:
        GeneratorFailed: wrk ended without a result.
    """
    command = ["--threads", "1", "--connections", str(clients), "--duration", f"{seconds:.0f}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(SCRIPT)]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    return _result([*command, url, "--", str(file), str(first)])


def _result(words: list[str]) -> dict[str, Any]:
    done = subprocess.run([str(tools.ensure("wrk")), *words], capture_output=True, text=True)
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise GeneratorFailed(f"wrk failed: {done.stderr or done.stdout}") from None
    return found
