"""The state of a cluster, for `testbed cluster status`."""

from dataclasses import asdict, dataclass, field
from typing import Any

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from testbed.cluster.api import Api, is_ready
from testbed.cluster.base import Cluster


@dataclass
class NodeStatus:
    """One node."""

    name: str
    ready: bool
    version: str
    address: str


@dataclass
class Status:
    """A cluster. Without an answer of its API server, nodes and add-ons are not known."""

    name: str
    driver: str
    exists: bool
    answers: bool = False
    version: str = ""
    server: str = ""
    kubeconfig: str = ""
    nodes: list[NodeStatus] = field(default_factory=list)
    addons: dict[str, bool] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether everything is ready."""
        return self.answers and all(each.ready for each in self.nodes) and all(self.addons.values())

    @property
    def summary(self) -> str:
        """One line for people."""
        if not self.exists:
            return "there is no such cluster"
        if not self.answers:
            return f"{self.driver}, its API server does not answer"
        return f"{self.driver}, Kubernetes {self.version} at {self.server}, KUBECONFIG={self.kubeconfig}"

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {**asdict(self), "well": self.well}


def of(cluster: Cluster) -> Status:
    """Ask a cluster how it is."""
    found = Status(cluster.name, cluster.driver, cluster.exists)
    if not cluster.kubeconfig.exists():
        return found
    api = Api(cluster.kubeconfig)
    found.server, found.kubeconfig = api.server, str(cluster.kubeconfig)
    try:
        found.version = api.version()
        found.nodes = [_node(name, node) for name, node in api.nodes().items()]
        found.addons = api.addons()
        found.answers = True
    except (ApiException, HTTPError):
        pass
    return found


def _node(name: str, node: Any) -> NodeStatus:
    addresses = {each.type: each.address for each in node.status.addresses}
    version = node.status.node_info.kubelet_version
    return NodeStatus(name, is_ready(node), version, addresses.get("InternalIP", ""))
