"""Kubeflow's chart and Open Data Hub's operator: permissions by RBAC, and a workspace per namespace."""

from typing import Any

from mlflowops.migrate_values import server_values
from mlflowops.migrate_values.dotted_path import set_path
from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result

MLFLOW_KEYS = (
    "artifactsDestination", "backendStoreUri", "defaultArtifactRoot", "registryStoreUri", "serveArtifacts",
    "workers",
)  # fmt: skip
# The mode of a server that asks the API server as the client, by the client's own token.
TOKENS = "self_subject_access_review"
# Fields of an MLflow resource that have another name than in Kubeflow's chart.
FIELDS = {
    "replicas": "replicaCount",
    "backendStoreUriFrom": "mlflow.backendStoreUriFrom.secretKeyRef",
    "registryStoreUriFrom": "mlflow.registryStoreUriFrom.secretKeyRef",
    "extraAllowedHosts": "mlflow.allowedHosts",
    "caBundleConfigMap": "caBundle.configMaps",
    **{key: f"mlflow.{key}" for key in MLFLOW_KEYS},
}


def values_of_resource(old: dict[str, Any]) -> dict[str, Any]:
    """Return the values that Kubeflow's chart would take for an MLflow resource of Open Data Hub.

    Args:
        old: the resource as `kubectl get mlflow -o yaml` prints it, or its `spec` alone.
    """
    values: dict[str, Any] = {}
    for field, value in (old.get("spec") or old).items():
        set_path(values, FIELDS.get(field, field), value)
    image = values.pop("image", {})
    for key, path in (("image", "image.repository"), ("imagePullPolicy", "image.pullPolicy")):
        if image.get(key):
            set_path(values, path, image[key])
    _claim(values)
    return values


def _claim(values: dict[str, Any]) -> None:
    """Turn the spec of a PersistentVolumeClaim into keys of a chart."""
    claim = values.pop("storage", None) or {}
    requests = (claim.get("resources") or {}).get("requests") or {}
    for value, path in (
        (requests.get("storage"), "storage.size"),
        (claim.get("storageClassName"), "storage.storageClassName"),
        (claim.get("accessModes"), "persistence.accessModes"),
    ):
        if value:
            set_path(values, path, value)


def login(source: Source, result: Result) -> None:
    """Keep the plugin: tokens, roles and workspaces of both go on as they are."""
    store = str(source.take("mlflow.workspaceStoreUri", ""))
    if store and not store.startswith("kubernetes:"):
        result.left["mlflow.workspaceStoreUri"] = "label the namespaces that are workspaces"
    result.set("auth.mode", "kubernetes")
    result.set("mlflow.launcher", "upstream")
    if result.get("backendStore.postgres.enabled"):
        # The launcher has 40 threads, and each may need a connection.
        result.set("backendStore.postgres.poolSize", 10)
        result.set("backendStore.postgres.maxOverflow", 40)
    if selector := source.take("mlflow.workspaceLabelSelector"):
        result.set("auth.kubernetes.workspaceLabelSelector", selector)
    if source.take("mlflow.authorizationMode", TOKENS) != TOKENS:
        result.left["mlflow.authorizationMode"] = (
            "if a gateway sets the header of the user, set auth.kubernetes.userHeader as in "
            "examples/kubeflow; clients log in by tokens otherwise"
        )


def image(source: Source, result: Result) -> None:
    """Ask for an image with the plugin unless there is one of the company; MLflow's own has none."""
    server_values.image(source, result)
    if not result.get("image.repository"):
        which = "another" if "image" in result.left else "an"
        result.left["image"] = (
            f"build {which} image with mlflow-kubernetes-plugins (docs/identity.md), and set "
            "image.registry, image.repository and image.tag"
        )


def server(source: Source, result: Result) -> None:
    """Translate what has another form: origins in one string, and whether the server passes artifacts on."""
    if origins := source.take("mlflow.corsAllowedOrigins"):
        result.set("mlflow.corsAllowedOrigins", str(origins).split(","))
    if source.take("mlflow.serveArtifacts") is False:
        result.set("artifactStore.mode", "direct")
