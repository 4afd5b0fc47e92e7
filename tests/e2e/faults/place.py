"""Where things of the fault suite are."""

from e2e.kube import Kube


def first_node(kube: Kube) -> str:
    """The node of the control plane, or the first by name; people and stores are there."""
    nodes = kube.core.list_node().items
    label = "node-role.kubernetes.io/control-plane"
    return min(nodes, key=lambda each: (label not in each.metadata.labels, each.metadata.name)).metadata.name


def other_nodes(kube: Kube) -> list[str]:
    """The nodes that a fault may hit."""
    first = first_node(kube)
    return sorted(each.metadata.name for each in kube.core.list_node().items if each.metadata.name != first)
