"""The chart as people type it: upstream's image and PostgreSQL's under their own names, nothing set for them.

No registry answers here, so both are put together as upstream does, and given the names that the chart has.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from images.archive import Archive

from e2e.helm import CHART, MLFLOW_VERSION, Helm
from e2e.kube import Kube
from e2e.renamed import renamed
from e2e.stores import Database, shared_stores
from e2e.test_shapes import logs_a_run
from e2e.up import run
from testbed import cluster, images

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def reference(image: dict[str, Any]) -> str:
    """The name of an image of the chart's values."""
    tag = image["tag"] or f"v{MLFLOW_VERSION}-full"
    return f"{image['registry']}/{image['repository']}:{tag}"


SERVER, POSTGRES = reference(DEFAULTS["image"]), reference(DEFAULTS["backup"]["image"])


@pytest.fixture(scope="module", autouse=True)
def loaded(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Both are on the nodes under the chart's names, and the server's is root's as upstream's is."""
    [upstream, postgres] = images.build(["upstream", "postgres"])
    assert Archive(upstream).config.get("User", "") == ""
    folder = tmp_path_factory.mktemp("images")
    archives = [renamed(upstream, SERVER, folder), renamed(postgres, POSTGRES, folder)]
    cluster.current(os.environ["MLFLOWOPS_CLUSTER"]).load(archives)
    for archive in archives:
        archive.unlink()


def test_nothing_set(kube: Kube, helm: Helm, kubeconfig: Path, namespace: str) -> None:
    """`helm install mlflow charts/mlflow` in a restricted namespace: not root, and its own test passes."""
    helm("install", "mlflow", "charts/mlflow", "--namespace", namespace, "--wait", "--timeout", "360s")
    [pod] = kube.pods(namespace)
    assert {each.image for each in pod.spec.containers} == {SERVER}
    assert kube.exec(namespace, pod.metadata.name, ["id", "-u"], "mlflow").strip() == "10001"
    logs_a_run(kubeconfig, namespace)
    helm("test", "mlflow", "--namespace", namespace, "--timeout", "360s")
    assert kube.restarts(namespace) == 0


def test_postgres_s3_and_a_backup(kube: Kube, helm: Helm, kubeconfig: Path, namespace: str) -> None:
    """The backup's Job runs PostgreSQL's own image beside upstream's."""
    values = shared_stores(kube, namespace, Database.create(kube, "default_images"))
    values["backup"] = {"enabled": True}
    words = ["--namespace", namespace, "--values", "-", "--wait", "--timeout", "360s"]
    helm("install", "mlflow", "charts/mlflow", *words, stdin=yaml.safe_dump(values))
    logs_a_run(kubeconfig, namespace)
    run(f"mlflowops backup now --namespace {namespace}", kubeconfig)
    [pod] = kube.pods(namespace, "app.kubernetes.io/component=backup")
    assert {each.image for each in pod.spec.containers} == {SERVER, POSTGRES}
    assert pod.status.phase == "Succeeded"
