"""Argo CD's engine installs, upgrades and prunes the chart, and then finds nothing out of sync."""

import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient
from mlflowops.paths import REPO
from released_charts import LAST as RELEASED

from e2e.argo_cd import Application
from e2e.forward import port_forward
from e2e.helm import OUR_IMAGE, Helm
from e2e.kube import Kube, eventually
from e2e.stores import Database, shared_stores
from e2e.up import run
from e2e.upgrades import objects
from e2e.upgrades.apply_way import ApplyWay
from e2e.upgrades.place import Place
from testbed import platform_parts, tools

CASES = sorted((REPO / "charts/mlflow/ci").glob("*-values.yaml"))
SMALL = {"resources": {"requests": {"cpu": "50m", "memory": "256Mi"}}}
# What the last release knows, too.
VALUES: dict[str, Any] = {
    "image": OUR_IMAGE,
    "mlflow": SMALL,
    "autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 3},
    "networkPolicy": {"enabled": True},
}
# Objects without pods: their images are nowhere here.
NO_PODS = {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}}


@pytest.fixture(scope="module")
def definitions(kubeconfig: Path) -> None:
    """Of the custom resources that the chart has, without what acts on them."""
    for name in platform_parts.PARTS.values():
        file = tools.ensure(name)
        run(f"kubectl apply --server-side --force-conflicts --filename {file}", kubeconfig)
        run(f"kubectl wait --for=condition=Established --timeout=60s --filename {file}", kubeconfig)


@pytest.fixture(
    params=[pytest.param(False, marks=pytest.mark.nightly), True], ids=["client-side", "server-side"]
)
def application(request: pytest.FixtureRequest, helm: Helm, kubeconfig: Path, namespace: str) -> Application:
    return Application(helm, kubeconfig, namespace, server_side=request.param)


def healthy(application: Application, manifests: str) -> dict[str, Any]:
    """What Argo CD shows once each object that has a health is Healthy."""

    def found() -> dict[str, Any]:
        states = application.status(manifests)
        return states if {each.get("health", "") for each in states.values()} <= {"Healthy", ""} else {}

    return dict(eventually(found, 240, "all objects Healthy", every=3))


def test_from_the_last_release_to_this_chart(
    application: Application, kube: Kube, kubeconfig: Path, namespace: str
) -> None:
    """Pods, runs and autoscaler stay through the upgrade; then what the values switch off is pruned."""
    database = Database.create(kube, f"argo_{secrets.token_hex(3)}")
    values = {**VALUES, **shared_stores(kube, namespace, database)}
    released = application.manifests(values, RELEASED)
    assert application.sync(released)
    healthy(application, released)
    with port_forward(kubeconfig, namespace, "service/mlflow", 80) as url:
        run_id = MlflowClient(url).create_run("0").info.run_id

    application.sync(application.manifests(values))
    # The autoscaler has set replicas, and the API server its defaults: neither is a difference.
    states = healthy(application, application.manifests(values))
    assert {name: each for name, each in states.items() if each["sync"] != "Synced"} == {}
    assert not [name for name in states if "test" in name], "Argo CD has no use for `helm test`"
    with port_forward(kubeconfig, namespace, "service/mlflow", 80) as url:
        assert MlflowClient(url).get_run(run_id).info.status == "RUNNING"

    fewer = application.manifests({**values, "networkPolicy": {"enabled": False}})
    policies = {name for name in states if name.startswith("NetworkPolicy/")}
    assert policies and set(application.out_of_sync(fewer)) == policies
    synced = application.sync(fewer)
    assert {name for name, status in synced.items() if status == "Pruned"} == policies
    assert application.out_of_sync(fewer) == {}


def test_a_change_by_hand_is_seen_and_undone(application: Application, kube: Kube, namespace: str) -> None:
    """Without this, nothing out of sync could mean that nothing is compared."""
    kube.core.create_namespaced_resource_quota(namespace, NO_PODS)
    manifests = application.manifests({})
    application.sync(manifests)
    assert application.out_of_sync(manifests) == {}
    ports = [{"port": 80, "targetPort": 81}]
    kube.core.patch_namespaced_service("mlflow", namespace, {"spec": {"ports": ports}})
    assert set(application.out_of_sync(manifests)) == {"Service/mlflow"}
    application.sync(manifests)
    assert application.out_of_sync(manifests) == {}


def test_a_release_of_helm_is_taken_over(
    helm: Helm, kube: Kube, kubeconfig: Path, namespace: str, tmp_path: Path
) -> None:
    """By the commands of docs/upgrading.md, before which a sync of this chart is refused."""
    kube.core.create_namespaced_resource_quota(namespace, NO_PODS)
    values = {"mlflow": SMALL, "networkPolicy": {"enabled": True}}
    application = Application(helm, kubeconfig, namespace, server_side=True)
    place = Place(kubeconfig, namespace, values, tmp_path, waits=False)
    way = ApplyWay(place, RELEASED, installed_by="helm")
    way.install()
    manifests = application.manifests(values)
    with pytest.raises(AssertionError, match="may not specify more than 1 volume type"):
        application.sync(manifests)
    eventually(way.hand_over, 60, "no object was modified meanwhile")
    # It prunes only what it has synced: without this, what only the old chart has would stay.
    application.sync(application.manifests(values, RELEASED))
    application.sync(manifests)
    assert application.out_of_sync(manifests) == {}
    rendered = [each for each in yaml.safe_load_all(manifests) if each and "helm.sh/hook" not in str(each)]
    assert objects.live(place) == objects.fresh(place, rendered)


def free_address(kube: Kube) -> str:
    """An address in the Service range of this cluster, which has too few Services to use it."""
    first = kube.core.read_namespaced_service("kubernetes", "default").spec.cluster_ip
    return f"{first.rpartition('.')[0]}.50"


@pytest.mark.nightly
@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize("case", CASES, ids=lambda file: file.name.removesuffix("-values.yaml"))
def test_no_shape_is_out_of_sync(application: Application, kube: Kube, namespace: str, case: Path) -> None:
    """What Kubernetes adds or writes otherwise is in the manifests; an end of the release leaves nothing."""
    kube.core.create_namespaced_resource_quota(namespace, NO_PODS)
    values = yaml.safe_load(case.read_text()) or {}
    if "ipFamilies" in values.get("service", {}):  # the cluster has no IPv6
        values["service"] |= {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    if "clusterIP" in values.get("service", {}):
        values["service"]["clusterIP"] = free_address(kube)
    assert application.sync(application.manifests(values))
    assert application.out_of_sync(application.manifests(values)) == {}
    assert set(application.sync("").values()) == {"Pruned"}
    eventually(lambda: application.status("") == {}, 30, "end of all objects")
