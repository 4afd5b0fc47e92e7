"""What users add to the chart's own containers, images and labels."""

from pathlib import Path

import pytest

from render.chart import MLFLOW, Chart, Json, Manifest, postgres, s3
from render.pss import restricted

SHARED = {**postgres(), **s3()}
TASKS = {
    **postgres(cleanupRunsEnabled=True),
    **s3(path="artifacts"),
    "backup": {"enabled": True, "drill": {"enabled": True}},
    "jobs": {"enabled": True},
}
PROXY = {"name": "proxy", "image": "registry.example.com/proxy:1", "restartPolicy": "Always"}
SHIPPER = {"name": "shipper", "image": "registry.example.com/shipper:1"}


def names(manifest: Manifest, deployment: str, which: str) -> list[str]:
    spec = manifest.one("Deployment", deployment)["spec"]["template"]["spec"]
    return [each["name"] for each in spec.get(which, [])]


def test_extra_containers_are_the_servers(chart: Chart) -> None:
    manifest = chart.render({**SHARED, "extraContainers": [SHIPPER]})
    assert names(manifest, "mlflow", "containers") == ["mlflow", "metrics", "shipper"]
    assert names(manifest, "mlflow-exporter", "containers") == ["exporter"]


def test_extra_init_containers_come_before_every_use_of_a_store(chart: Chart) -> None:
    """A proxy to the database must run when the migration and the exporter want it."""
    manifest = chart.render({**SHARED, "extraInitContainers": [PROXY]})
    assert names(manifest, "mlflow", "initContainers") == ["proxy", "schema"]
    assert names(manifest, "mlflow-exporter", "initContainers") == ["proxy"]
    assert manifest.container("proxy")["restartPolicy"] == "Always"


def test_tasks_have_them_too(chart: Chart) -> None:
    """They reach the same database. An init container that stays does not keep a Job from ending."""
    postgres = {**SHARED["backendStore"]["postgres"], "cleanupRunsEnabled": True}
    values = {**SHARED, "backendStore": {"postgres": postgres}, "extraInitContainers": [PROXY]}
    tasks = [item for item in chart.render(values).objects if item["kind"] == "CronJob"]
    assert tasks
    for task in tasks:
        spec = task["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert [each["name"] for each in spec["initContainers"]] == ["proxy"], task["metadata"]["name"]


@pytest.mark.parametrize("which", ["extraContainers", "extraInitContainers"])
def test_extra_containers_are_restricted_like_ours(chart: Chart, which: str) -> None:
    """Unless they bring a securityContext, which is kept."""
    own = {"runAsUser": 999, "allowPrivilegeEscalation": False}
    loose = {**SHIPPER, "name": "loose", "securityContext": own}
    manifest = chart.render({**SHARED, which: [SHIPPER, loose]})
    assert manifest.container("shipper")["securityContext"] == manifest.container()["securityContext"]
    assert manifest.container("loose")["securityContext"] == own
    assert restricted(chart.render({**SHARED, which: [SHIPPER]}).server()) == []


def images(manifest: Manifest) -> set[str]:
    """Of every container of every pod, the users' own left out."""
    return {
        container["image"]
        for _, pod in manifest.pods()
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
        if container["name"] not in ("log-shipper", "database-proxy")
    }


def test_every_image_has_its_override(case: Path) -> None:
    """One registry and one digest for whatever the chart runs: a mirror, or pinned bytes."""
    digest = "sha256:" + "d" * 64
    values = _with(case, {"global": {"imageRegistry": "mirror"}, "image": {"digest": digest}})
    if "backup" in values:
        values["backup"].setdefault("image", {})["digest"] = digest
    manifest = MLFLOW.render(values)
    assert images(manifest)
    assert [image for image in images(manifest) if not image.startswith("mirror/")] == []
    assert [image for image in images(manifest) if not image.endswith("@" + digest)] == []


def _with(case: Path, more: Json) -> Json:
    import yaml

    values = yaml.safe_load(case.read_text()) or {}
    return {**values, **more, "image": {**values.get("image", {}), **more["image"]}}


def test_pull_secrets_of_every_pod(chart: Chart) -> None:
    """Jobs too: a pod without them cannot start where the registry asks for a login."""
    ours, theirs = {"name": "login"}, {"name": "mirror"}
    values = {**TASKS, "imagePullSecrets": [ours], "global": {"imagePullSecrets": [theirs, ours]}}
    pods = dict(chart.render(values).pods())
    assert {name.split("/")[0] for name in pods} == {"CronJob", "Deployment", "Pod"}
    assert all(pod["spec"]["imagePullSecrets"] == [theirs, ours] for pod in pods.values())
    for name, pod in chart.render(SHARED).pods():
        assert "imagePullSecrets" not in pod["spec"], name


def test_a_chart_around_this_one_may_have_more_globals(chart: Chart) -> None:
    assert chart.render({"global": {"storageClass": "fast"}}).objects == chart.render().objects


def test_a_csi_volume_brings_its_secrets_to_every_pod_that_reads_one(chart: Chart) -> None:
    """The CSI driver makes a Secret only where a pod mounts its volume."""
    driver = {"driver": "secrets-store.csi.k8s.io", "readOnly": True}
    csi = {**driver, "volumeAttributes": {"secretProviderClass": "mlflow"}}
    mount = {"name": "vault", "mountPath": "/etc/vault", "readOnly": True}
    values = {**TASKS, "extraVolumes": [{"name": "vault", "csi": csi}], "extraVolumeMounts": [mount]}
    for name, pod in chart.render(values).pods():
        boxes = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
        if "secretKeyRef" in str(boxes):
            assert any(mount in box["volumeMounts"] for box in boxes), name
            assert {"name": "vault", "csi": csi} in pod["spec"]["volumes"], name
            assert restricted(pod["spec"]) == [], name


SELECTING = ("selector", "matchLabels", "labelSelector", "podSelector", "namespaceSelector")


def selectors(node: object) -> list[Json]:
    """Every selector of an object, wherever it is."""
    if isinstance(node, list):
        return [found for each in node for found in selectors(each)]
    if not isinstance(node, dict):
        return []
    here = [below for key, below in node.items() if key in SELECTING and isinstance(below, dict)]
    return here + [found for below in node.values() for found in selectors(below)]


def test_common_labels_are_everywhere_but_in_selectors(case: Path) -> None:
    manifest = MLFLOW.render(_with(case, {"commonLabels": {"cost-centre": "4711"}, "image": {}}))
    for item in manifest.objects:
        assert item["metadata"]["labels"]["cost-centre"] == "4711", item["kind"]
        assert "cost-centre" not in str(selectors(item.get("spec"))), item["kind"]
    for name, pod in manifest.pods():
        assert pod["metadata"]["labels"]["cost-centre"] == "4711", name
