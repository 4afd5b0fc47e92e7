"""Creates a cluster: kind if a container engine is available, otherwise one built from source.

`current("mlflow")` is the cluster of that name, whether it exists or not. Both drivers look the same
from outside: a kubeconfig, and a way to load images.
"""

from testbed.cluster.base import Cluster

__all__ = ["DEFAULT_NAME", "Cluster", "current"]

DEFAULT_NAME = "mlflow"


def current(name: str = DEFAULT_NAME) -> Cluster:
    """Return the cluster of this name. One that exists keeps its driver."""
    from testbed.cluster.kind import Kind  # the Kubernetes client takes a second to import
    from testbed.cluster.source import Source

    drivers: list[type[Cluster]] = [Kind, Source]
    for driver in drivers:
        if driver.made(name):
            return driver(name)
    return Kind(name) if Kind.usable() else Source(name)
