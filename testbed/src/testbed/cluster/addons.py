"""Add-ons of a cluster: DNS, metrics, a StorageClass. Their manifests are in cluster/addons."""

import hashlib
import string
from collections.abc import Sequence
from pathlib import Path

from mlflowops import shell

from testbed import paths, tools
from testbed.archives import scratch_image
from testbed.cluster.api import Api
from testbed.cluster.waiting import wait_until

FOLDER = paths.BED / "cluster" / "addons"


def archive(name: str) -> Path:
    """The image of an add-on, made of its binary."""
    version = "1" if name == "pause" else tools.tool(name).version
    return scratch_image.archive(name, f"localhost/{name}:{version}")


def are_applied(kubeconfig: Path, names: Sequence[str], dns_address: str = "") -> bool:
    """Whether these manifests, as they are now, were applied before."""
    done = _record(kubeconfig)
    return done.exists() and done.read_text() == _digest(_manifest(names, dns_address))


def apply(kubeconfig: Path, names: Sequence[str], dns_address: str = "") -> None:
    """Make the objects of these manifests."""
    manifest = _manifest(names, dns_address)
    # Server-side apply: overwrites changes that others made.
    flags = ["--server-side", "--force-conflicts", "--filename=-"]
    shell.run([tools.ensure("kubectl"), "--kubeconfig", kubeconfig, "apply", *flags], stdin=manifest)
    _record(kubeconfig).write_text(_digest(manifest))


def wait(api: Api, names: Sequence[str], seconds: float) -> None:
    """Wait until these Deployments are whole."""

    def whole() -> bool:
        found = api.addons()
        return all(found.get(name) for name in names)

    wait_until(whole, seconds, f"start of {' and '.join(names)}", every=0.3)


def _manifest(names: Sequence[str], dns_address: str) -> str:
    text = "\n---\n".join((FOLDER / f"{name}.yaml").read_text() for name in names)
    return string.Template(text).substitute(
        coredns_version=tools.tool("coredns").version,
        metrics_server_version=tools.tool("metrics-server").version,
        dns_address=dns_address,
    )


def _digest(manifest: str) -> str:
    return hashlib.sha256(manifest.encode()).hexdigest()


def _record(kubeconfig: Path) -> Path:
    """What was applied last, kept with the cluster."""
    return kubeconfig.with_name("addons-applied")
