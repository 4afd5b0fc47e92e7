"""Two pods on a MariaDB outside of the cluster: a process of this machine, at the address that nodes see."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from runtime.mariadb import PASSWORD, MariaDB

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.stores import Database, shared_stores
from e2e.test_health import health

SOON = {"metrics": {"storeIntervalSeconds": 5}}


def address_for(kube: Kube) -> str:
    """This machine's address in the network of the nodes."""
    [node, *_] = kube.core.list_node().items
    inside = next(each.address for each in node.status.addresses if each.type == "InternalIP")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((inside, 9))  # sends nothing
        return str(probe.getsockname()[0])


@pytest.fixture
def mariadb(kube: Kube) -> Iterator[MariaDB]:
    server = MariaDB(address_for(kube))
    yield server
    server.remove()


def test_two_pods_serve_on_mariadb(
    kube: Kube, helm: Helm, kubeconfig: Path, mariadb: MariaDB, namespace: str
) -> None:
    """One migrates, what one writes the other reads, and the health check knows the database."""
    values = shared_stores(kube, namespace, Database(kube, "", ""), secret=False)
    uri = mariadb.database("mlflow")["MLFLOW_BACKEND_STORE_URI"]
    # The password too, so that the look for Secrets in logs finds it without the rest of the URI.
    kube.secret(namespace, "mlflow-mysql", {"uri": uri, "password": PASSWORD})
    database = {"uriFromSecret": {"enabled": True, "name": "mlflow-mysql"}}
    helm.install(namespace, {**values, "backendStore": database, "replicaCount": 2, **SOON}, wait="300s")
    pods = [pod.metadata.name for pod in kube.pods(namespace)]
    logs = [kube.logs(namespace, pod, "schema") for pod in pods]
    assert sum("the database is migrated" in log for log in logs) == 1, logs
    assert (len(pods), kube.restarts(namespace)) == (2, 0)
    helm("test", "mlflow", "--namespace", namespace)
    runs = []
    for pod in pods:
        with port_forward(kubeconfig, namespace, f"pod/{pod}", 5000) as address:
            client = MlflowClient(address)
            runs.append(client.create_run("0").info.run_id)
            assert {client.get_run(run).info.run_id for run in runs} == set(runs)
    eventually(lambda: well(kubeconfig, namespace), 60, "the health check finds nothing", every=3)


def well(kubeconfig: Path, namespace: str) -> bool:
    """As soon as the exporter has looked again: at first there were no tables."""
    code, checks = health(kubeconfig, f"--namespace {namespace}")
    return code == 0 and checks["schema"]["status"] == "ok" and "connections" in checks
