"""A way to the server without an Ingress: `kubectl port-forward`, as somebody debugging types it."""

import re
import selectors
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from mlflowops import tools
from mlflowops.errors import OpsError


@contextmanager
def port_forward(namespace: str, release: str, context: str | None, seconds: float) -> Iterator[str]:
    """Forward a free local port to the Service while the block runs; yields `http://127.0.0.1:<port>`."""
    kubectl = shutil.which("kubectl") or str(tools.ensure("kubectl"))
    command = [kubectl, "port-forward", "--namespace", namespace, f"service/{release}", ":5000"]
    if context:
        command += ["--context", context]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout  # noqa: S101 - a pipe was asked for
        line = _first_line(process.stdout, seconds)
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if not found:
            raise OpsError("port-forward", line.strip() or "no answer in time", "see the pods", exit_code=1)
        yield f"http://127.0.0.1:{found.group(1)}"
    finally:
        process.terminate()
        process.wait()


def _first_line(stream: IO[str], seconds: float) -> str:
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        return stream.readline() if waiting.select(seconds) else ""
