"""A cluster without a container engine: Kubernetes from Go modules, with nodes in Linux namespaces."""

import json
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

from mlflowops import console, shell
from mlflowops.errors import OpsError

from testbed import tools
from testbed.cluster import (
    addons,
    cgroups,
    dns,
    image_archives,
    kubeconfig,
    layer_store,
    network,
    node,
    settings,
)
from testbed.cluster.api import LONG_AGO, Api
from testbed.cluster.base import DEFAULT_NODES, Cluster, minor
from testbed.cluster.layout import MAX_CLUSTERS, MAX_NODES, Layout, Node
from testbed.cluster.pki import Authority
from testbed.cluster.waiting import wait_until

TOOLS = (*node.BINARIES, "ctr", "kubectl", "coredns", "metrics-server", "pause", "cni-plugins", "iptables")
KUBERNETES = r"kubernetes(-\d+\.\d+)?"
"""The name in tools.toml of each Kubernetes version; the one without a number is the default."""
ADDONS = ("coredns", "metrics-server")
IMAGES = ("pause", *ADDONS)
MANIFESTS = ("lab", "storage", *ADDONS)


class Source(Cluster):
    """See the module's text."""

    driver = "source"

    def check_requirements(self) -> None:
        """Namespaces, links and control groups are root's."""
        if os.geteuid() != 0:
            wrong = "making one without a container engine needs root"
            raise OpsError("cluster", wrong, "start docker or podman and install kind, or use sudo")

    @classmethod
    def versions(cls) -> dict[str, str]:
        """Return the entries of tools.toml by Kubernetes version."""
        entries = [each for each in tools.tools().values() if re.fullmatch(KUBERNETES, each.name)]
        return {minor(each.version): each.name for each in sorted(entries, key=lambda each: each.version)}

    def prepare(self, kubernetes: str | None = None) -> None:
        """Build Kubernetes and what its nodes run."""
        super().prepare(kubernetes)
        for name in (self.versions()[self.choose(kubernetes)], *TOOLS):
            tools.ensure(name)

    def make(self, nodes: int | None) -> None:
        """Switch on what is off, and add what is missing."""
        layout = self._layout() or self._claim()
        machines = self._machines(layout, nodes)
        if self._is_whole(layout, machines):
            return
        self._write_kubeconfig(layout)
        network.up(layout)
        begin = datetime.now(timezone.utc).replace(microsecond=0)  # as exact as the nodes report
        started = self._start_nodes(machines)
        self._load([addons.archive(name) for name in IMAGES], machines)  # while the API server starts
        self._wait_until_ready(layout, machines, begin if started else LONG_AGO)

    def remove(self) -> None:
        """Cut the power of all nodes and remove their network and control groups."""
        layout = self._layout()
        if not layout:
            return
        _for_each_node(node.kill, [layout.node(number) for number in range(1, MAX_NODES + 1)])
        cgroups.kill(layout.cgroup)
        cgroups.remove(layout.cgroup)
        network.down(layout)

    def load_images(self, archives: Sequence[Path]) -> None:
        """Import the archives into the containerd of every node, all nodes at once."""
        layout = self._layout()
        machines = [each for each in self._machines(layout) if node.init_pid(each)] if layout else []
        if not machines:
            wrong = "it is not running"
            raise OpsError(f"cluster {self.name}", wrong, f"run `testbed cluster up --name {self.name}`")
        self._load(archives, machines)

    def _layout(self) -> Layout | None:
        """The layout that was claimed for this cluster."""
        if not self._claim_file.exists():
            return None
        return Layout(json.loads(self._claim_file.read_text())["index"], self.folder)

    @property
    def _claim_file(self) -> Path:
        return self.folder / "layout.json"

    def _claim(self) -> Layout:
        """Take the first number whose names and addresses are free."""
        for index in range(MAX_CLUSTERS):
            layout = Layout(index, self.folder)
            if network.is_free(layout):
                self._claim_file.write_text(json.dumps({"index": index}))
                if network.claim(layout):
                    return layout
        self._claim_file.unlink(missing_ok=True)
        wrong = f"{Layout(0, self.folder).whole_range} and the next {MAX_CLUSTERS - 1} ranges are in use"
        raise OpsError(f"cluster {self.name}", wrong, "remove a cluster or a route, see `ip route`")

    def _machines(self, layout: Layout, wanted: int | None = None) -> list[Node]:
        """The nodes that there are or shall be. One can add nodes, not remove them."""
        there = [each for each in _all_nodes(layout) if each.folder.exists()]
        if wanted is None:
            wanted = len(there) or DEFAULT_NODES
        if not max(1, len(there)) <= wanted <= MAX_NODES:
            wrong = f"it has {len(there)} nodes and can have 1 to {MAX_NODES}, but none can be removed"
            instead = f"choose another number than {wanted}, or run `testbed cluster down` first"
            raise OpsError(f"cluster {self.name}", wrong, instead)
        return _all_nodes(layout)[:wanted]

    @property
    def _pki(self) -> Path:
        return self.folder / "pki"

    def _write_kubeconfig(self, layout: Layout) -> None:
        if not self.kubeconfig.exists():
            ca = Authority.load_or_create(self._pki, "ca")
            admin = ca.issue("admin", "system:masters")
            kubeconfig.write(self.kubeconfig, self.name, layout.server, ca, admin)

    def _is_whole(self, layout: Layout, machines: Sequence[Node]) -> bool:
        """Whether nothing is left to do."""
        cables = all(network.link_exists(each.link) for each in machines)
        if not cables or not addons.are_applied(self.kubeconfig, MANIFESTS, layout.dns_address):
            return False
        return Api(self.kubeconfig).ready_nodes() >= _names(machines) and dns.answers(layout.dns_address)

    def _start_nodes(self, machines: Sequence[Node]) -> bool:
        """Start the nodes that are off; whether there were any."""
        off = [each for each in machines if not node.init_pid(each)]
        for each in off:
            with console.step(f"Starting {each.name} of cluster {self.name}"):
                node.kill(each)  # what a crash left
                settings.write_node(each, self._pki)
                first = each.number == 1
                if first:
                    settings.write_control_plane(each, self._pki)
                kubernetes = tools.ensure(self.versions()[self.kubernetes])
                node.start(each, kubernetes, settings.CONTROL_PLANE if first else ())
        for each in machines:
            node.connect(each)
        return bool(off)

    def _wait_until_ready(self, layout: Layout, machines: Sequence[Node], since: datetime) -> None:
        """Wait for the API server, the nodes' own word since then, and DNS. Metrics come 20 s later."""
        api = Api(self.kubeconfig)
        with console.step("Waiting for the API server"):
            logs = [node.log(layout.node(1), name) for name in ("etcd", "kube-apiserver")]
            wait_until(api.ready, 90, "start of the API server", logs, every=0.2)
        addons.apply(self.kubeconfig, MANIFESTS, layout.dns_address)
        with console.step(f"Waiting for {len(machines)} nodes and DNS"):
            kubelets = [node.log(each, "kubelet") for each in machines]
            names = _names(machines)
            wait_until(lambda: api.ready_nodes(since) >= names, 90, "start of the nodes", kubelets, every=0.3)
            wait_until(lambda: dns.answers(layout.dns_address), 120, "start of DNS", kubelets, every=0.3)

    def _load(self, archives: Sequence[Path], machines: Sequence[Node]) -> None:
        for each in machines:
            log = node.log(each, "containerd")
            wait_until(lambda each=each: node.answers(each), 30, f"containerd of {each.name}", [log])  # type: ignore[misc]
        for archive in archives:
            self._load_one(archive, machines)

    def _load_one(self, archive: Path, machines: Sequence[Node]) -> None:
        missing = [each for each in machines if image_archives.is_missing(node.ctr(each), archive)]
        if not missing:
            return
        with console.step(f"Loading {archive.name} into {', '.join(each.name for each in missing)}"):
            known = all(layer_store.contains(image) for image in image_archives.content(archive))
            first = 0 if known else 1  # one node does the work, the others take
            _for_each_node(lambda each: _import(archive, each), missing[:first])
            _for_each_node(lambda each: _import(archive, each), missing[first:])


def _import(archive: Path, machine: Node) -> None:
    ctr, disk = node.ctr(machine), node.disk(machine)
    contained = image_archives.content(archive)
    can_share = layer_store.can_share(disk)
    if can_share and all(layer_store.contains(image) for image in contained):
        for image in contained:
            layer_store.link_into(ctr, disk, image)
        return
    shell.run([*ctr, "images", "import", "--local", archive])
    if can_share:
        for image in contained:
            layer_store.add(ctr, disk, image)


def _all_nodes(layout: Layout) -> list[Node]:
    return [layout.node(number) for number in range(1, MAX_NODES + 1)]


def _names(machines: Sequence[Node]) -> set[str]:
    return {each.name for each in machines}


def _for_each_node(do: Callable[[Node], None], nodes: Sequence[Node]) -> None:
    """Do something with all nodes at once; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=MAX_NODES) as pool:
        list(pool.map(do, nodes))
