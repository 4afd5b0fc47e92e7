"""Writes the configuration of a node to /run/etc: files of cluster/config, keys and kubeconfigs."""

import resource
import shutil
import string
from pathlib import Path

from testbed import paths, tools
from testbed.cluster import kubeconfig
from testbed.cluster.layout import MAX_NODES, Layout, Node
from testbed.cluster.pki import Authority, signing_key, write_secret

CONFIG = paths.BED / "cluster" / "config"

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

# Who the parts of the control plane are; Kubernetes knows these users and what they may do.
CONTROL_PLANE_USERS = {
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
}


def write_node(node: Node, pki: Path) -> None:
    """Write what every node needs."""
    etc = node.folder / "etc"
    shutil.rmtree(etc, ignore_errors=True)
    (etc / "cni").mkdir(parents=True)
    (etc / "pki").mkdir(mode=0o700)
    shutil.copytree(CONFIG / "daemons", etc / "daemons")
    for script in ("node-boot.sh", "node-init.sh"):
        shutil.copy(CONFIG / script, etc)
    for name in ("containerd.toml", "kubelet.yaml", "kube-proxy.yaml"):
        (etc / name).write_text(_filled(name, node))
    (etc / "cni" / "pods.conflist").write_text(_filled("cni.conflist", node))
    (etc / "resolv.conf").touch()
    (etc / "pod-routes").write_text(_pod_routes(node.layout))
    _write_identities(node, Authority.load_or_create(pki, "ca"))


def write_control_plane(node: Node, pki: Path) -> None:
    """Write what the node with the control plane needs besides."""
    etc = node.folder / "etc"
    layout = node.layout
    ca, etcd_ca, front_ca = (
        Authority.load_or_create(pki, name) for name in ("ca", "etcd-ca", "front-proxy-ca")
    )
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    hosts = [*service, f"{service[-1]}.cluster.local", "localhost", "127.0.0.1", layout.api_service]
    keys = {
        "ca": ca.pair,
        "apiserver": ca.issue("kube-apiserver", hosts=[*hosts, node.address]),
        "apiserver-kubelet": ca.issue("kube-apiserver-kubelet-client", "system:masters"),
        "apiserver-etcd": etcd_ca.issue("kube-apiserver-etcd-client"),
        "etcd": etcd_ca.issue("etcd", hosts=["localhost", "127.0.0.1"]),
        "front-proxy": front_ca.issue("front-proxy"),
    }
    for name, pair in keys.items():
        pair.write(etc / "pki", name)
    for name, authority in {"etcd-ca": etcd_ca, "front-proxy-ca": front_ca}.items():
        (etc / "pki" / f"{name}.crt").write_bytes(authority.pair.certificate)
    private, public = signing_key(pki)
    write_secret(etc / "pki" / "service-account.key", private)
    (etc / "pki" / "service-account.pub").write_bytes(public)
    for daemon, user in CONTROL_PLANE_USERS.items():
        kubeconfig.write(etc / f"{daemon}.kubeconfig", daemon, layout.server, ca, ca.issue(user))


def _write_identities(node: Node, ca: Authority) -> None:
    etc = node.folder / "etc"
    (etc / "pki" / "ca.crt").write_bytes(ca.pair.certificate)
    user = f"system:node:{node.name}"
    ca.issue(user, "system:nodes", hosts=[node.name, node.address]).write(etc / "pki", "kubelet")
    users = {
        "kubelet": ca.issue(user, "system:nodes"),
        "kube-proxy": ca.issue("system:kube-proxy"),
        "lab": ca.issue("lab"),
    }
    for name, pair in users.items():
        kubeconfig.write(etc / f"{name}.kubeconfig", name, node.layout.server, ca, pair)


def _filled(name: str, node: Node) -> str:
    return string.Template((CONFIG / name).read_text()).substitute(
        cgroup=node.cgroup,
        cni_plugins=tools.ensure("cni-plugins").parent,
        dns_address=node.layout.dns_address,
        open_files=min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1_000_000),
        pod_range=node.pod_range,
        pods_range=node.layout.pods_range,
    )


def _pod_routes(layout: Layout) -> str:
    """Where the pods of each possible node are, so that a new node needs no change on the others."""
    nodes = [layout.node(number) for number in range(1, MAX_NODES + 1)]
    return "".join(f"{node.pod_range} {node.address}\n" for node in nodes)
