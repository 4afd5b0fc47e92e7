"""A Kubernetes to try MLflow on: kind where a container engine answers, else one from source.

`current("mlflow")` is the cluster of that name, whether it exists or not. Both drivers look the same
from outside: a kubeconfig, and a way to load images.
"""

from mlflowops.cluster.base import Cluster
from mlflowops.cluster.kind import Kind
from mlflowops.cluster.source import Source

__all__ = ["DEFAULT_NAME", "Cluster", "current"]

DEFAULT_NAME = "mlflow"

DRIVERS: dict[str, type[Cluster]] = {"kind": Kind, "source": Source}


def current(name: str = DEFAULT_NAME) -> Cluster:
    """Return the cluster of this name. One that exists keeps its driver."""
    for driver in DRIVERS.values():
        if driver.remembered(name):
            return driver(name)
    return Kind(name) if Kind.usable() else Source(name)
