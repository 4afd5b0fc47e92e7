"""Programs of this machine for which names have other addresses, as a DNS record would give them."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# In a mount namespace of its own the program sees other files; the machine keeps its own.
BIND = 'mount --bind "$0" /etc/hosts && exec "$@"'


def run_inside(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    *,
    hosts: Mapping[str, str],
    stdin: str = "",
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `hosts` are the addresses of names, such as mlflow.ml.svc.cluster.local."""
    named = "".join(f"{address} {name}\n" for name, address in hosts.items())
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"127.0.0.1 localhost\n{named}")
        file.flush()
        unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c", BIND, file.name]
        return subprocess.run(
            [*unshare, *map(str, command)], env={**os.environ, **(env or {})}, cwd=cwd, input=stdin,
            text=True, capture_output=True, timeout=900, start_new_session=True,
        )  # fmt: skip
