"""The last release becomes this tree's chart and goes back: no request fails, and all data is kept."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from cli import compare, laptop
from mlflow import MlflowClient
from mlflow.server.auth.client import AuthServiceClient
from released_charts import LAST as RELEASED

from e2e.clients import Clients
from e2e.forward import port_forward
from e2e.helm import OUR_IMAGE, Helm
from e2e.kube import Kube
from e2e.stores import NASTY, Database, shared_stores
from e2e.test_scaling import settle
from e2e.upgrades import objects
from e2e.upgrades.apply_way import SERVER_SIDE, ApplyWay
from e2e.upgrades.helm_way import HelmWay
from e2e.upgrades.place import Place

# For the last release, which offers the addresses of the object store to clients that cannot open them.
THROUGH_THE_SERVER = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
}
# Only characters that a client can send.
PASSWORD = NASTY.replace("é", "") + secrets.token_hex(8)
ADMIN, ANNA = ("admin", PASSWORD), ("anna", secrets.token_hex(8))
# What production has, as far as it can differ between releases.
FROM_CLIENTS = {"from": [{"podSelector": {"matchLabels": {"app": "client"}}}], "ports": [{"port": 5000}]}
VALUES: dict[str, Any] = {
    "image": OUR_IMAGE,
    "replicaCount": 2,
    "mlflow": {"resources": {"requests": {"cpu": "50m", "memory": "256Mi"}}},
    "auth": {"mode": "basic", "basic": {"defaultPermission": "NO_PERMISSIONS"}},
    "backup": {"enabled": True},
    "networkPolicy": {"enabled": True, "ingress": [FROM_CLIENTS]},
}
# What the last release does not know, and this one asks for where there is a login.
APART = {"backup": {"enabled": True, "bucket": "backups", "credentialsFromSecret": {"enabled": True}}}


class Upgraded:
    """One release of the chart in a namespace of its own, seen as its users see it."""

    def __init__(self, kube: Kube, helm: Helm, kubeconfig: Path, namespace: str, folder: Path) -> None:
        self.kube, self.helm, self.kubeconfig, self.namespace = kube, helm, kubeconfig, namespace
        self.folder = folder
        kube.secret(namespace, "mlflow-admin-secret", {"username": ADMIN[0], "password": PASSWORD})
        kube.secret(namespace, "mlflow-backup-secret", kube.read_secret("ml", "mlflow-s3-secret"))
        self.database = Database.create(kube, f"release_{secrets.token_hex(3)}")
        self.values = VALUES | shared_stores(kube, namespace, self.database)
        self.values["backendStore"]["postgres"]["cleanupRunsEnabled"] = True

    def install(self, **more: Any) -> None:
        self.helm.install(self.namespace, self.values | APART | more, wait="240s")

    def write(self, name: str) -> None:
        """One of everything, under that name; anna may change the experiment, and nothing else."""
        with port_forward(self.kubeconfig, self.namespace, "service/mlflow", 80) as url:
            (folder := self.folder / name).mkdir()
            laptop.fill(url, folder, name)
            accounts = AuthServiceClient(url)
            if name == "before":
                accounts.create_user(*ANNA)
            number = compare.experiment(MlflowClient(url), name).experiment_id
            accounts.grant_user_permission("anna", "experiment", number, "EDIT")

    def read(self, name: str) -> Any:
        """All of it."""
        with port_forward(self.kubeconfig, self.namespace, "service/mlflow", 80) as url:
            client = MlflowClient(url)
            runs = compare.runs(client, name)
            with laptop.mlflow_of_the_process(url):
                model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
            number = compare.experiment(client, name).experiment_id
            return [
                {run: [compare.facts(client, found), found.info.run_id] for run, found in runs.items()},
                compare.files(client, runs["parent"], self.folder / secrets.token_hex(4)),
                [client.get_registered_model(each).to_proto() for each in (name, f"{name}-old")],
                client.get_prompt_version(f"{name}-prompt", 1).template,
                model.predict(["hello"]),
                [annas(url, "update", number, name), annas(url, "delete", number, name)],
            ]

    def secrets(self) -> dict[str, dict[str, str]]:
        """Of the namespace, without Helm's own notes."""
        listed = self.kube.core.list_namespaced_secret(self.namespace).items
        return {each.metadata.name: each.data for each in listed if each.type != "helm.sh/release.v1"}

    def chart(self) -> str:
        deployment = self.kube.apps.read_namespaced_deployment("mlflow", self.namespace)
        return str(deployment.metadata.labels["helm.sh/chart"])


def annas(url: str, verb: str, experiment: str, name: str) -> int:
    """What anna is answered."""
    body = {"experiment_id": experiment, "new_name": name}
    path = f"{url}/api/2.0/mlflow/experiments/{verb}"
    return requests.post(path, json=body, auth=ANNA, timeout=60).status_code


@pytest.fixture(scope="module")
def upgraded(
    kube: Kube, helm: Helm, kubeconfig: Path, shared_namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """The last release, with something kept in it."""
    with pytest.MonkeyPatch.context() as environment:
        account = {"MLFLOW_TRACKING_USERNAME": ADMIN[0], "MLFLOW_TRACKING_PASSWORD": PASSWORD}
        for name, value in {**THROUGH_THE_SERVER, **account}.items():
            environment.setenv(name, value)
        found = Upgraded(kube, helm, kubeconfig, shared_namespace, tmp_path_factory.mktemp("release"))
        helm.install(shared_namespace, found.values, wait="240s", chart=RELEASED)
        found.write("before")
        yield found


@pytest.fixture(scope="module")
def clients(kube: Kube, upgraded: Upgraded) -> Clients:
    found = Clients(kube, upgraded.namespace, ADMIN)
    found.start()
    return found


def test_upgrade_and_rollback(kube: Kube, helm: Helm, upgraded: Upgraded, clients: Clients) -> None:
    last, before, keys = upgraded.chart(), upgraded.read("before"), upgraded.secrets()
    assert last == RELEASED.stem
    assert before[-2:] == [["hello"], [200, 403]]
    with clients.lose_nothing():
        # An annotation, for pods roll even if both charts have the same ones.
        upgraded.install(podAnnotations={"release": "next"})
        settle(kube, upgraded.namespace, 2)
    clients.rest(3)
    assert upgraded.chart() != last
    assert upgraded.read("before") == before
    upgraded.write("between")
    between = upgraded.read("between")
    clients.rest(0.2)
    with clients.lose_nothing():
        helm("rollback", "mlflow", "--namespace", upgraded.namespace, "--wait", "--timeout", "720s")
        settle(kube, upgraded.namespace, 2)
    clients.rest(3)
    assert upgraded.chart() == last
    assert [upgraded.read("before"), upgraded.read("between")] == [before, between]
    assert upgraded.secrets() == keys


def test_a_controller_takes_the_release_over(
    kube: Kube, helm: Helm, upgraded: Upgraded, clients: Clients, tmp_path: Path
) -> None:
    """What Argo CD and Flux do: server-side apply of this tree's rendered chart on what Helm installed."""
    place = Place(upgraded.kubeconfig, upgraded.namespace, {**upgraded.values, **APART}, tmp_path)
    way = ApplyWay(place, RELEASED, options=(*SERVER_SIDE, "--force-conflicts"), installed_by="helm")
    before = upgraded.read("before")
    way.applied = HelmWay.manifest(way)
    with clients.lose_nothing():
        way.upgrade()
        settle(kube, upgraded.namespace, 2)
    assert upgraded.chart() != RELEASED.stem
    assert upgraded.read("before") == before
    assert objects.live(place) == objects.fresh(place, way.manifest())
