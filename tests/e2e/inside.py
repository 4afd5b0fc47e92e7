"""Programs of this machine that find names as pods do, by the cluster's DNS, or as a record would say."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.kube import Kube

# In a mount namespace of its own the program sees other files; the machine keeps its own.
BIND = 'mount --bind "$0/resolv.conf" /etc/resolv.conf && mount --bind "$0/hosts" /etc/hosts && exec "$@"'


def run_inside(
    kube: Kube,
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    hosts: Mapping[str, str] | None = None,
    stdin: str = "",
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end that reaches http://mlflow.ml.svc.cluster.local under that name.

    `hosts` gives more names their addresses.
    """
    dns = kube.core.read_namespaced_service("kube-dns", "kube-system").spec.cluster_ip
    named = "".join(f"{address} {name}\n" for name, address in (hosts or {}).items())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "resolv.conf").write_text(f"nameserver {dns}\n")
        (Path(folder) / "hosts").write_text(f"127.0.0.1 localhost\n{named}")
        unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c", BIND, folder]
        return subprocess.run(
            [*unshare, *map(str, command)], env={**os.environ, **(env or {})}, cwd=cwd, input=stdin,
            text=True, capture_output=True, timeout=900, start_new_session=True,
        )  # fmt: skip
