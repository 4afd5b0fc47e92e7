"""What a pod needs arrives late: the database, then the Secret. Pods wait, nothing restarts."""

import time

from mlflowops.paths import REPO

from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.stores import Database, shared_stores


def test_database_down_at_start(kube: Kube, helm: Helm, namespace: str) -> None:
    """A PostgreSQL that comes up 60 s after the server's pods."""
    kube.secret(namespace, "mlflow-postgres-secret", {"password": "late-postgres-password"})
    helm.install(namespace, {}, release="postgres", chart=REPO / "testbed/charts/postgresql", wait="60s")
    kube.apps.patch_namespaced_stateful_set_scale("postgres", namespace, {"spec": {"replicas": 0}})
    eventually(lambda: not kube.pods(namespace, "app=postgresql"), 60, "PostgreSQL gone")
    database = Database(kube, "mlflow", "late-postgres-password")
    values = shared_stores(kube, namespace, database)
    values["backendStore"]["postgres"]["host"] = "postgres"
    helm.install(namespace, {**values, "replicaCount": 2}, wait="")
    eventually(lambda: len(_waiting(kube, namespace)) == 2, 60, "both pods say that they wait")
    time.sleep(60)
    assert not kube.ready(namespace, 2)
    kube.apps.patch_namespaced_stateful_set_scale("postgres", namespace, {"spec": {"replicas": 1}})
    kube.wait_ready(namespace, 2)
    assert kube.restarts(namespace) == 0


def _waiting(kube: Kube, namespace: str) -> list[str]:
    names = [pod.metadata.name for pod in kube.pods(namespace)]
    return [name for name in names if "wait" in kube.logs(namespace, name, "schema")]


def test_secret_arrives_late(kube: Kube, helm: Helm, namespace: str) -> None:
    database = Database.create(kube, "late_secret")
    helm.install(namespace, shared_stores(kube, namespace, database, secret=False), wait="")
    eventually(
        lambda: _reason(kube, namespace) == "CreateContainerConfigError", 60, "the pod waits for its Secret"
    )
    kube.secret(namespace, "mlflow-postgres-secret", {"password": database.password})
    kube.wait_ready(namespace, 1)
    assert kube.restarts(namespace) == 0


def _reason(kube: Kube, namespace: str) -> str | None:
    statuses = [s for pod in kube.pods(namespace) for s in pod.status.init_container_statuses or []]
    return next((s.state.waiting.reason for s in statuses if s.state and s.state.waiting), None)
