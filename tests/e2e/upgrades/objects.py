"""What the cluster has of a release, beside what a first installation of the same manifest would give."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from e2e.upgrades.place import RELEASE, Place

Json = dict[str, Any]
# Every kind that the chart renders without the help of an operator. Pods and Jobs come and go.
KINDS = (
    "configmaps", "cronjobs", "deployments", "horizontalpodautoscalers", "ingresses", "networkpolicies",
    "persistentvolumeclaims", "poddisruptionbudgets", "secrets", "serviceaccounts", "services",
)  # fmt: skip
# What tools and controllers write.
THEIRS = (
    "argocd.argoproj.io/tracking-id",
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
)


def live(place: Place) -> dict[str, Json]:
    """Return all objects of the release by kind and name, without what tools and controllers write."""
    text = place.kubectl("get", ",".join(KINDS), "-l", f"app.kubernetes.io/instance={RELEASE}", "-o", "json")
    return _by_name(json.loads(text)["items"])


def fresh(place: Place, manifest: list[Json]) -> dict[str, Json]:
    """Return the same as if the manifest were installed where nothing is: in the namespace `default`."""
    file = place.folder / "fresh.yaml"
    file.write_text(yaml.safe_dump_all(manifest))
    command = ("create", "--namespace", "default", "--dry-run=server", "--filename", file, "-o", "json")
    return _by_name(_documents(place.run("kubectl", *command)))


def _documents(text: str) -> Iterator[Json]:
    """Each JSON document of a text, and each item of a list."""
    while text := text.lstrip():
        found, end = json.JSONDecoder().raw_decode(text)
        yield from found["items"] if found["kind"] == "List" else [found]
        text = text[end:]


def _by_name(objects: Iterator[Json] | list[Json]) -> dict[str, Json]:
    return {f"{each['kind']}/{each['metadata']['name']}": _comparable(each) for each in objects}


def _comparable(item: Json) -> Json:
    metadata = item["metadata"]
    annotations = {key: text for key, text in metadata.get("annotations", {}).items() if key not in THEIRS}
    rest = {key: each for key, each in item.items() if key not in ("metadata", "status")}
    spec = {key: each for key, each in rest.get("spec", {}).items() if key not in ("clusterIP", "clusterIPs")}
    if item["kind"] == "Deployment":
        spec.pop("replicas")  # the autoscaler's
    return {**rest, "spec": spec, "labels": metadata.get("labels", {}), "annotations": annotations}
