"""The release that faults hit: two server pods, and PostgreSQL and SeaweedFS of their own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflowops.generated_secrets import random_key
from mlflowops.paths import REPO

from e2e.faults.place import first_node
from e2e.faults.release import Release
from e2e.faults.store_way import StoreWay
from e2e.faults.tasks import Tasks
from e2e.helm import Helm
from e2e.kube import Kube
from e2e.leaks import remove
from e2e.stores import KEYS

NAMESPACE = "faults"
Change = Callable[..., None]
CHARTS = REPO / "testbed/charts"
# Few enough for a fault to take them all; two pods with two workers have at most 24.
CONNECTIONS = 40
VALUES: dict[str, Any] = {
    "replicaCount": 2,
    "mlflow": {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}},
    "keys": {"fromSecret": {"enabled": True}},
    "backendStore": {
        "postgres": {
            "enabled": True,
            "host": "postgres",
            "database": "mlflow",
            "username": "mlflow",
            "passwordFromSecret": {"enabled": True, "name": "mlflow-postgres-secret", "key": "password"},
        }
    },
    "artifactStore": {
        "s3": {
            "enabled": True,
            "bucket": "mlflow",
            "endpoint": "http://store-way:8333",
            "region": "us-east-1",
            "credentialsFromSecret": {"enabled": True, "name": "mlflow-s3-secret"},
        }
    },
}


@pytest.fixture(scope="session")
def faults_namespace(kube: Kube, request: pytest.FixtureRequest) -> Iterator[str]:
    """A restricted namespace with the Secrets of both stores and of the server.

    `--keep` leaves it, and `--reuse` uses it with all that is in it, for one fault after another.
    """
    name = "-".join(filter(None, (NAMESPACE, os.environ.get("PYTEST_XDIST_WORKER"))))
    if not (request.config.getoption("--reuse") and is_there(kube, name)):
        make_namespace(kube, name)
    yield name
    if not request.config.getoption("--keep"):
        remove(kube, name)


def is_there(kube: Kube, namespace: str) -> bool:
    """Whether an earlier run has left the namespace."""
    found = kube.core.list_namespace(field_selector=f"metadata.name={namespace}").items
    return any(each.status.phase == "Active" for each in found)


def make_namespace(kube: Kube, name: str) -> None:
    kube.create_namespace(name)
    kube.secret(name, "mlflow-postgres-secret", {"password": random_key()})
    s3 = {"AWS_ACCESS_KEY_ID": "faults", "AWS_SECRET_ACCESS_KEY": random_key()}
    kube.secret(name, "mlflow-s3-secret", s3)
    kube.secret(name, "mlflow-keys-secret", KEYS)


@pytest.fixture(scope="session")
def stores(kube: Kube, helm: Helm, faults_namespace: str) -> None:
    """Both stores, on the node that no fault hits."""
    place = {"nodeSelector": {"kubernetes.io/hostname": first_node(kube)}}
    for name, chart, more in (
        ("postgres", "postgresql", {"maxConnections": CONNECTIONS}),
        ("seaweedfs", "seaweedfs", {}),
    ):
        helm.install(faults_namespace, {**place, **more}, wait="", release=name, chart=CHARTS / chart)
    for name in ("postgres", "seaweedfs"):
        kube.wait_ready(faults_namespace, 1, 120, f"app.kubernetes.io/instance={name}")


@pytest.fixture(scope="session")
def store_way(kube: Kube, faults_namespace: str, stores: None) -> StoreWay:
    way = StoreWay(kube, faults_namespace)
    way.start()
    return way


@pytest.fixture(scope="session")
def release(kube: Kube, helm: Helm, faults_namespace: str, store_way: StoreWay) -> Release:
    """One release for all faults; each leaves it as it found it."""
    helm.install(faults_namespace, VALUES)
    return Release(kube, faults_namespace)


@pytest.fixture
def change(helm: Helm, release: Release) -> Iterator[Change]:
    """Deploy the release with values besides its own; after the test it is as it was."""

    def deploy(**values: Any) -> None:
        helm.install(release.namespace, {**VALUES, **values}, wait="300s")

    yield deploy
    deploy()


@pytest.fixture
def tasks(release: Release, kubeconfig: Path) -> Tasks:
    return Tasks(release, kubeconfig)


@pytest.fixture(autouse=True)
def print_what_failed(kube: Kube, faults_namespace: str, request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if not getattr(request.node, "rep_call", None) or request.node.rep_call.failed:
        kube.print_state(faults_namespace)
