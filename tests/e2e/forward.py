"""`kubectl port-forward`, as somebody debugging types it."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testbed import tools


@contextlib.contextmanager
def port_forward(kubeconfig: Path, namespace: str, target: str, port: int) -> Iterator[str]:
    """Forward a free local port; yields `http://127.0.0.1:<port>`."""
    command = [
        tools.ensure("kubectl"),
        "--kubeconfig",
        kubeconfig,
        "port-forward",
        "-n",
        namespace,
        target,
        f":{port}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert found, f"no port-forward to {target}: {line!r}"
        yield f"http://127.0.0.1:{found.group(1)}"
    finally:
        process.terminate()
        process.wait()
