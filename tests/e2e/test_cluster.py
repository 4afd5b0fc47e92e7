"""`testbed cluster` from source: a second cluster comes beside the first, works, and leaves no trace."""

import contextlib
import json
import os
import signal
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.rest import ApiException
from testbed.archives import scratch_image
from testbed.cluster.layout import Layout, Node
from testbed.cluster.source import Source

from e2e.kube import RESTRICTED, Kube, eventually
from testbed import cluster, paths
from testbed.cluster import node

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not isinstance(cluster.current("twin"), Source),
    reason="takes root on a machine without a container engine: kind has tests of its own",
)

OPS = paths.REPO / ".venv/bin/testbed"
IMAGE = "localhost/busybox:test"
WEB = ["busybox", "httpd", "-f", "-p", "8080", "-h", "/etc"]


def ops(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [OPS, "cluster", *words, "--name", "twin"]
    done = subprocess.run(command, text=True, capture_output=True)
    assert not check or done.returncode == 0, done.stderr
    return done


class Twin:
    """The second cluster, and what the machine looked like before it."""

    def __init__(self) -> None:
        ops("prepare")  # else the `up` to be interrupted would build Kubernetes on a new machine
        ops("down")
        self.before = traces()
        self.interrupted = self._interrupted_up()
        ops("up", "--nodes", "1")
        self.kubeconfig = Path(ops("kubeconfig").stdout.strip())
        self.kube = Kube(self.kubeconfig)
        self.archive = scratch_image.archive("busybox", IMAGE)
        ops("load", str(self.archive))

    def _interrupted_up(self) -> int:
        """Kill `up` as soon as the node runs; the node's process 1 at that moment."""
        command = [OPS, "cluster", "up", "--name", "twin", "--nodes", "1"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            return int(eventually(self.node_pid, 30, "node of the twin", every=0.05))
        finally:
            process.kill()
            process.wait()

    def node_pid(self) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return node.init_pid(self.node)
        return None

    @property
    def node(self) -> Node:
        folder = paths.state("clusters") / "twin"
        index = json.loads((folder / "layout.json").read_text())["index"]
        return Layout(index, folder).node(1)

    def run(self, namespace: str, name: str, command: list[str], **extra: Any) -> None:
        """Start a pod and wait until it runs."""
        self.kube.core.create_namespaced_pod(namespace, pod(name, command, **extra))
        eventually(lambda: self.kube.ready(namespace, 1, f"app={name}"), 60, f"pod {name} ready")

    def delete_pod(self, namespace: str, name: str) -> None:
        self.kube.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)
        eventually(lambda: not self.kube.pods(namespace, f"app={name}"), 30, f"end of pod {name}")


def pod(name: str, command: list[str], **extra: Any) -> dict[str, Any]:
    container = {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": command}
    ports = [{"name": "web", "containerPort": 8080}]
    mounts = extra.pop("mounts", [])
    secure = {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000}
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "securityContext": {**secure, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {**container, "ports": ports, "securityContext": RESTRICTED, "volumeMounts": mounts}
            ],
            **extra,
        },
    }


def traces() -> dict[str, set[str]]:
    """What a cluster could leave on the machine."""
    routes = subprocess.run(["ip", "route", "show", "table", "all"], text=True, capture_output=True).stdout
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return {
        "links": {path.name for path in Path("/sys/class/net").iterdir()},
        "routes": set(routes.splitlines()),
        "mounts": {line for line in mounts if "/images/work/" not in line},  # a build of an image
        "groups": {str(path) for path in Path("/sys/fs/cgroup").glob("**/mk[0-9]")},
        "clusters": {path.name for path in paths.state("clusters").iterdir()},
    }


def marks_of_others() -> list[str]:
    """What traces of clusters contain that are made meanwhile."""
    marks = []
    for claim in paths.state("clusters").glob("*/layout.json"):
        layout = Layout(json.loads(claim.read_text())["index"], claim.parent)
        marks += [claim.parent.name, layout.bridge, f"{layout.prefix}."]
    return marks


def layer_of(archive: Path) -> str:
    """The digest of the largest blob in an archive, which is the layer."""
    with tarfile.open(archive) as tar:
        return max(tar.getmembers(), key=lambda member: member.size).name.rpartition("/")[2]


def processes_in(group: str) -> list[str]:
    """All processes of the machine in a control group of this name or below it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f":{group}/" in (process / "cgroup").read_text():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    try:
        yield Twin()
    finally:
        ops("down")


@pytest.fixture
def ns(twin: Twin, request: pytest.FixtureRequest) -> Iterator[str]:
    """A restricted namespace in the twin."""
    name = request.node.name.removeprefix("test_").split("[")[0].replace("_", "-")
    twin.kube.create_namespace(name)
    yield name
    if request.node.rep_call.failed:
        twin.kube.print_state(name)
    twin.kube.delete_namespace(name)


def fetch(twin: Twin, namespace: str, url: str, pod: str = "client") -> str:
    """What a pod gets from a URL within a second; "refused" if nothing."""
    command = f"exec 2>/dev/null; timeout 1 wget -q -O - {url} || echo refused"
    return twin.kube.exec(namespace, pod, ["busybox", "sh", "-c", command])


def test_an_interrupted_up_goes_on_where_it_was(twin: Twin) -> None:
    assert twin.node_pid() == twin.interrupted


def test_up_again_does_nothing(twin: Twin) -> None:
    assert "…" not in ops("up").stderr, "it did something"
    assert twin.node_pid() == twin.interrupted


def test_load_skips_what_is_there(twin: Twin) -> None:
    assert "Loading" not in ops("load", str(twin.archive)).stderr


def test_nodes_share_the_files_of_images(twin: Twin) -> None:
    """With the cache, and so with every other node: an image costs time and disk once."""
    [binary] = twin.node.folder.glob("lib/containerd/*/snapshots/*/fs/bin/busybox")
    [layer] = twin.node.folder.glob(f"lib/containerd/*/blobs/sha256/{layer_of(twin.archive)}")
    assert binary.stat().st_nlink > 1 and layer.stat().st_nlink > 1


def test_status_for_programs(twin: Twin) -> None:
    eventually(lambda: ops("status", check=False).returncode == 0, 60, "metrics, which come last", every=2)
    status = json.loads(ops("status", "--output", "json").stdout)
    assert status["well"]
    assert [each["name"] for each in status["nodes"]] == ["node1"]
    assert status["addons"] == {"coredns": True, "metrics-server": True}


def test_service_answers_by_name_and_to_the_machine(twin: Twin, ns: str) -> None:
    twin.run(ns, "web", WEB)
    twin.run(ns, "client", ["busybox", "sleep", "600"])
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "web"}]}
    service = twin.kube.core.create_namespaced_service(ns, {"metadata": {"name": "web"}, "spec": spec})
    for host in ("web", f"web.{ns}", f"web.{ns}.svc.cluster.local"):
        url = f"http://{host}/hostname"
        eventually(lambda url=url: fetch(twin, ns, url).strip() == "web", 20, url)
    address = twin.kube.pods(ns, "app=web")[0].status.pod_ip
    for url in (f"http://{address}:8080/hostname", f"http://{service.spec.cluster_ip}/hostname"):
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.read().strip() == b"web"


def test_nothing_leaves_the_machine(twin: Twin, ns: str) -> None:
    """An address for documentation: refused at once, not lost on its way."""
    twin.run(ns, "client", ["busybox", "sleep", "600"])
    command = "timeout 5 wget -O - http://198.51.100.1/ 2>&1; nslookup example.com. 2>&1"
    said = twin.kube.exec(ns, "client", ["busybox", "sh", "-c", command])
    assert "No route to host" in said
    assert "NXDOMAIN" in said


def test_network_policies(twin: Twin, ns: str) -> None:
    twin.run(ns, "web", WEB)
    for name in ("client", "stranger"):
        twin.run(ns, name, ["busybox", "sleep", "600"])
    pods = {name: twin.kube.pods(ns, f"app={name}")[0].status.pod_ip for name in ("web", "client")}
    url = f"http://{pods['web']}:8080/hostname"

    def got() -> tuple[str, str]:
        return fetch(twin, ns, url), fetch(twin, ns, url, "stranger")

    eventually(lambda: got() == ("web\n", "web\n"), 15, "answers without a policy")

    policies = client.NetworkingV1Api(twin.kube.api)
    client_only = {"podSelector": {"matchLabels": {"app": "client"}}}
    subnet = f"{pods['client'].rsplit('.', 1)[0]}.0/24"
    but_client = {"ipBlock": {"cidr": subnet, "except": [f"{pods['client']}/32"]}}
    elsewhere = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    named, other, reach = {"port": "web"}, {"port": 9}, {"port": 8000, "endPort": 8090}
    cases: list[tuple[list[dict[str, Any]], str, str]] = [
        ([], "refused\n", "refused\n"),
        ([{"from": [client_only]}], "web\n", "refused\n"),
        ([{"from": [but_client], "ports": [reach]}], "refused\n", "web\n"),
        ([{"from": [elsewhere]}], "refused\n", "refused\n"),
        ([{"ports": [named]}], "web\n", "web\n"),
        ([{"ports": [other]}], "refused\n", "refused\n"),
    ]
    for ingress, for_client, for_stranger in cases:
        spec = {
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        }
        body = {"metadata": {"name": "web"}, "spec": spec}
        with contextlib.suppress(ApiException):
            policies.delete_namespaced_network_policy("web", ns)
        policies.create_namespaced_network_policy(ns, body)
        eventually(lambda: got() == (for_client, for_stranger), 15, f"effect of {ingress}", every=0.1)  # noqa: B023

    policies.delete_namespaced_network_policy("web", ns)
    egress = {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"], "egress": []}
    policies.create_namespaced_network_policy(ns, {"metadata": {"name": "out"}, "spec": egress})
    eventually(lambda: got() == ("refused\n", "web\n"), 15, "effect on egress", every=0.1)


def test_network_policies_on_the_node_of_the_api_server(twin: Twin, ns: str) -> None:
    """A pod's packets to its own node are not forwarded; a policy holds for them too."""
    twin.run(ns, "client", ["busybox", "sleep", "600"])
    connect = "timeout 2 busybox nc $KUBERNETES_SERVICE_HOST 443 </dev/null >/dev/null 2>&1"
    ask = f"{connect} && echo open || echo refused"

    def got() -> str:
        return twin.kube.exec(ns, "client", ["busybox", "sh", "-c", ask])

    assert got() == "open\n"
    egress = {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"], "egress": []}
    policies = client.NetworkingV1Api(twin.kube.api)
    policies.create_namespaced_network_policy(ns, {"metadata": {"name": "out"}, "spec": egress})
    eventually(lambda: got() == "refused\n", 15, "effect on egress", every=0.1)


def test_volume_outlives_its_pod(twin: Twin, ns: str) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    core = twin.kube.core
    core.create_namespaced_persistent_volume_claim(ns, {"metadata": {"name": "data"}, "spec": claim})
    disk = {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "mounts": [{"name": "data", "mountPath": "/data"}],
    }
    twin.run(ns, "writer", ["busybox", "sh", "-c", "echo kept > /data/file; sleep 600"], **dict(disk))
    twin.delete_pod(ns, "writer")
    twin.run(ns, "reader", ["busybox", "sleep", "600"], **dict(disk))
    assert twin.kube.exec(ns, "reader", ["busybox", "cat", "/data/file"]) == "kept\n"

    volume = core.read_namespaced_persistent_volume_claim("data", ns).spec.volume_name
    folder = twin.node.folder / "lib/volumes" / volume
    assert (folder / "file").read_text() == "kept\n"
    twin.delete_pod(ns, "reader")
    core.delete_namespaced_persistent_volume_claim("data", ns)
    eventually(lambda: not folder.exists(), 30, "removal of the volume's folder")


def test_restricted_namespace_refuses_a_privileged_pod(twin: Twin, ns: str) -> None:
    body = pod("wild", ["busybox", "sleep", "9"])
    body["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(ApiException) as refusal:
        twin.kube.core.create_namespaced_pod(ns, body)
    assert refusal.value.status == 403 and "restricted" in str(refusal.value.body)


def test_orphans_are_buried_in_a_shared_process_namespace(twin: Twin, ns: str) -> None:
    """As on any Kubernetes: no process of the pod is number 1, the pause process reaps."""
    script = "(sh -c 'sleep 0.1 & exec true') ; sleep 600"
    twin.run(ns, "parent", ["busybox", "sh", "-c", script], shareProcessNamespace=True)
    time.sleep(0.5)
    states = twin.kube.exec(ns, "parent", ["busybox", "sh", "-c", "grep -h ^State /proc/[0-9]*/status"])
    assert "Z (zombie)" not in states
    assert "pause" in twin.kube.exec(ns, "parent", ["busybox", "cat", "/proc/1/cmdline"])


def test_metrics_are_served_through_the_aggregation_layer(twin: Twin) -> None:
    metrics = client.CustomObjectsApi(twin.kube.api)

    def measured() -> Any:
        with contextlib.suppress(ApiException):
            return metrics.list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")["items"]
        return None

    assert [each["metadata"]["name"] for each in eventually(measured, 40, "metrics of the node")] == ["node1"]


def test_a_power_cut_is_healed_by_up(twin: Twin, ns: str) -> None:
    twin.run(ns, "web", WEB)
    os.kill(twin.node_pid() or 0, signal.SIGKILL)
    eventually(lambda: not twin.node_pid(), 10, "end of the node")
    assert ops("status", check=False).returncode == 1
    ops("up")
    eventually(lambda: twin.kube.ready(ns, 1, "app=web"), 60, "the pod runs again")
    assert twin.kube.restarts(ns, "app=web") >= 1


def test_down_after_a_power_cut_leaves_nothing(twin: Twin) -> None:
    """Last, because the cluster is gone then."""
    layout = twin.node.layout
    assert processes_in(layout.cgroup)
    os.kill(twin.node_pid() or 0, signal.SIGKILL)
    ops("down")
    # Ended ones stay listed until process 1 of the machine has taken note of it.
    eventually(lambda: not processes_in(layout.cgroup), 10, "no process left")
    others = marks_of_others()
    left = {trace for kind, found in traces().items() for trace in found - twin.before[kind]}
    assert not [trace for trace in left if not any(mark in trace for mark in others)]


def test_the_first_cluster_did_not_notice(kube: Kube) -> None:
    """Same numbers for names and addresses would have broken it."""
    assert kube.core.list_node().items
