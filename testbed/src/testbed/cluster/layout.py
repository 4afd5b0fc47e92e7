"""Names and addresses of a cluster from source, computed from its number so that clusters do not conflict.

Cluster 0 is 10.180.0.0/16: nodes are 10.180.0.11 and on, pods of node N are 10.180.(64+N).0/24,
Services are 10.180.128.0/17. Links, control groups and the machine's routes carry the number too.
"""

from dataclasses import dataclass
from pathlib import Path

MAX_CLUSTERS = 10
MAX_NODES = 9


@dataclass(frozen=True)
class Node:
    """One node; number 1 also has the control plane."""

    layout: "Layout"
    number: int

    @property
    def name(self) -> str:
        """Its name in Kubernetes and its host name."""
        return f"node{self.number}"

    @property
    def folder(self) -> Path:
        """Its settings, logs and disk."""
        return self.layout.folder / self.name

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"{self.layout.prefix}.0.{10 + self.number}"

    @property
    def pod_range(self) -> str:
        """The addresses of its pods."""
        return f"{self.layout.prefix}.{64 + self.number}.0/24"

    @property
    def link(self) -> str:
        """The machine's end of its cable."""
        return f"{self.layout.bridge}n{self.number}"

    @property
    def cgroup(self) -> str:
        """The control group of its daemons and pods."""
        return f"{self.layout.cgroup}/{self.name}"


@dataclass(frozen=True)
class Layout:
    """One cluster."""

    index: int
    folder: Path

    def node(self, number: int) -> Node:
        """The node with this number, from 1."""
        return Node(self, number)

    @property
    def prefix(self) -> str:
        """The first half of all of its addresses."""
        return f"10.{180 + self.index}"

    @property
    def whole_range(self) -> str:
        """All of its addresses."""
        return f"{self.prefix}.0.0/16"

    @property
    def host_address(self) -> str:
        """The machine itself, as the nodes see it."""
        return f"{self.prefix}.0.1"

    @property
    def pods_range(self) -> str:
        """The addresses of all pods."""
        return f"{self.prefix}.64.0/18"

    @property
    def service_range(self) -> str:
        """The addresses of all Services."""
        return f"{self.prefix}.128.0/17"

    @property
    def api_service(self) -> str:
        """The Service `kubernetes`: the first address, by Kubernetes' own rule."""
        return f"{self.prefix}.128.1"

    @property
    def dns_address(self) -> str:
        """The Service of cluster DNS."""
        return f"{self.prefix}.128.10"

    @property
    def server(self) -> str:
        """The API server."""
        return f"https://{self.node(1).address}:6443"

    @property
    def bridge(self) -> str:
        """The link that the nodes' cables meet in. Short: names of links have 15 characters at most."""
        return f"mk{self.index}"

    @property
    def cgroup(self) -> str:
        """The control group above those of the nodes."""
        return f"/{self.bridge}"
