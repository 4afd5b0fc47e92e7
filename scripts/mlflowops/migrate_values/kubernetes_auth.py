"""Kubeflow's chart and Open Data Hub's operator: permissions by RBAC, and a workspace per namespace."""

from typing import Any

from mlflowops.migrate_values import login_values
from mlflowops.migrate_values.dotted_path import set_path
from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result

MLFLOW_KEYS = (
    "artifactsDestination", "backendStoreUri", "defaultArtifactRoot", "registryStoreUri", "serveArtifacts",
    "workers",
)  # fmt: skip
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


def workspaces(source: Source, result: Result) -> None:
    """Enable workspaces: the default of both is one per namespace."""
    if source.take("mlflow.workspaceStoreUri"):
        result.left["mlflow.workspaceStoreUri"] = (
            "create workspaces with MLflow's API, which stores them in its database"
        )
    result.set("mlflow.env.MLFLOW_ENABLE_WORKSPACES", "true")


def login(source: Source, result: Result) -> None:
    """Require a login. Both check RBAC, so a server without a login would give every client full access."""
    source.take("mlflow.authorizationMode")
    result.left["mlflow.authorizationMode"] = (
        "create accounts with permissions, which auth.mode: basic checks"
    )
    login_values.basic(result, given=False)


def server(source: Source, result: Result) -> None:
    """Translate what has another form: origins in one string, and whether the server passes artifacts on."""
    if origins := source.take("mlflow.corsAllowedOrigins"):
        result.set("mlflow.corsAllowedOrigins", str(origins).split(","))
    if source.take("mlflow.serveArtifacts") is False:
        result.set("artifactStore.mode", "direct")
