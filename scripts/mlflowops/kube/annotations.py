"""Annotates objects, to make a controller act on them."""

from collections.abc import Mapping

from kubernetes import client

from mlflowops.kube.reader import Json, Reader


def annotate(
    reader: Reader, group: str, plural: str, name: str, annotations: Mapping[str, str | None]
) -> None:
    """Set annotations of an object; None removes one."""
    _patch(reader, group, plural, name, {"metadata": {"annotations": dict(annotations)}})


def annotate_pod_template(reader: Reader, deployment: str, annotations: dict[str, str]) -> None:
    """Set annotations of the pods of a Deployment, which replaces them."""
    body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    _patch(reader, "apps/v1", "deployments", deployment, body)


def _patch(reader: Reader, group: str, plural: str, name: str, body: Json) -> None:
    """Merge a body into an object; this API sends a merge patch, which custom resources take too."""
    group, version = group.split("/")
    patch = client.CustomObjectsApi(reader.api).patch_namespaced_custom_object
    patch(group, version, reader.namespace, plural, name, body)
