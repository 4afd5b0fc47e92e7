"""`kubectl port-forward`, as users type it for debugging."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testbed import tools

LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def port_forward(kubeconfig: Path, namespace: str, target: str, port: int) -> Iterator[str]:
    """Forward a free local port; yields `http://127.0.0.1:<port>`."""
    command = forward_command(kubeconfig, namespace, target, [f":{port}"])
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


def forward_command(
    kubeconfig: Path, namespace: str, target: str, ports: list[str], address: str = LOOPBACK
) -> list[str]:
    """Return the command that forwards ports.

    Args:
        kubeconfig: file that leads to the cluster.
        namespace: of the target.
        target: a Service or a pod, as `service/mlflow`.
        ports: pairs `<local>:<remote>`; without a local one kubectl chooses a free one and prints it.
        address: loopback address to listen at.
    """
    where = ["--kubeconfig", str(kubeconfig), "--namespace", namespace, "--address", address]
    return [str(tools.ensure("kubectl")), "port-forward", *where, target, *ports]
