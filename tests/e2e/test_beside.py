"""Releases beside each other: two in one namespace, and one name in two namespaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube
from e2e.leaks import remove
from e2e.test_shapes import logs_a_run


@pytest.fixture
def other(kube: Kube, namespace: str) -> Iterator[str]:
    """Another namespace."""
    name = f"{namespace}-other"
    kube.create_namespace(name)
    yield name
    remove(kube, name)


def runs(kubeconfig: Path, namespace: str, service: str) -> set[str]:
    with port_forward(kubeconfig, namespace, f"service/{service}", 5000) as url:
        return {run.info.run_id for run in MlflowClient(url).search_runs(["0"])}


def test_each_has_its_own_runs(kube: Kube, helm: Helm, kubeconfig: Path, namespace: str, other: str) -> None:
    """And the end of one changes nothing of the others."""
    services = {
        (namespace, "mlflow"): "mlflow",
        (namespace, "two"): "two-mlflow",
        (other, "mlflow"): "mlflow",
    }
    for place, release in services:
        helm.install(place, {"networkPolicy": {"enabled": True}}, wait="", release=release)
    kube.wait_ready(namespace, 2, 180)
    kube.wait_ready(other, 1, 180)
    places = {(place, service) for (place, _), service in services.items()}
    made = {(place, service): logs_a_run(kubeconfig, place, service) for place, service in places}
    assert {where: runs(kubeconfig, *where) for where in places} == {where: {made[where]} for where in places}
    helm("uninstall", "mlflow", "--namespace", namespace, "--wait", "--timeout", "360s")
    left = places - {(namespace, "mlflow")}
    assert {where: runs(kubeconfig, *where) for where in left} == {where: {made[where]} for where in left}
    assert kube.restarts(namespace) == kube.restarts(other) == 0
