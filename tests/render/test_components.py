"""The label `app.kubernetes.io/component` names the part of the release that an object is for."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from render.chart import KEYS, MLFLOW, Json, identity, postgres, s3

LABEL = "app.kubernetes.io/component"
RELEASE = "release"  # the component of what several others use
FAMILY = {"drill": "backup", "restore": "backup"}
SHARED_VOLUME: Json = {
    **postgres(cleanupRunsEnabled=True),
    **KEYS,
    "persistence": {"accessModes": ["ReadWriteMany"]},
    "jobs": {"enabled": True},
}
BACKUPS: Json = {
    **postgres(),
    **s3(path="artifacts"),
    "backup": {"enabled": True, "drill": {"enabled": True}, "serviceAccount": {"create": True}},
}


def used(spec: Json) -> Iterator[str]:
    """`Kind/name` of the objects that a pod uses."""
    yield f"ServiceAccount/{spec['serviceAccountName']}"
    for volume in spec["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            yield f"ConfigMap/{source['configMap']['name']}"
        if "persistentVolumeClaim" in volume:
            yield f"PersistentVolumeClaim/{volume['persistentVolumeClaim']['claimName']}"


def test_an_object_of_several_components_belongs_to_the_release() -> None:
    """The ServiceAccount and the claim are not the server's alone; a component's files are its own."""
    users, labels = defaultdict(set), {}
    for manifest in map(MLFLOW.render, (SHARED_VOLUME, BACKUPS)):
        labels |= {identity(item): item["metadata"]["labels"][LABEL] for item in manifest.objects}
        for _, pod in manifest.pods():
            component = pod["metadata"]["labels"][LABEL]
            for name in used(pod["spec"]):
                users[name].add(FAMILY.get(component, component))
    owners = {name: next(iter(parts)) if len(parts) == 1 else RELEASE for name, parts in users.items()}
    assert owners["ServiceAccount/mlflow"] == owners["PersistentVolumeClaim/mlflow"] == RELEASE
    assert owners["ServiceAccount/mlflow-backup"] == "backup"
    assert {name: labels[name] for name in owners} == owners


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_a_workload_has_the_component_of_its_pods(kind: str) -> None:
    manifest = MLFLOW.render({**BACKUPS, **SHARED_VOLUME, **s3(path="artifacts")})
    pods = dict(manifest.pods())
    found = [item for item in manifest.objects if item["kind"] == kind]
    assert len(found) > 2
    for item in found:
        label = item["metadata"]["labels"][LABEL]
        assert pods[identity(item)]["metadata"]["labels"][LABEL] == label
        assert identity(item).endswith("/mlflow" if label == "server" else f"-{label}")
