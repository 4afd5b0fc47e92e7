"""The server itself: its options, its image, its Ingress and its volume."""

import re
from typing import Any

from mlflowops.migrate_values.old_values import Source
from mlflowops.migrate_values.result import Result
from mlflowops.migrate_values.tables import sentence

# Options of `mlflow server` that are keys here.
OPTIONS = {
    "allowed-hosts": "mlflow.allowedHosts",
    "cors-allowed-origins": "mlflow.corsAllowedOrigins",
    "static-prefix": "mlflow.staticPrefix",
    "workers": "mlflow.workers",
}
# Images that other charts bring; MLflow's own takes their place.
IMAGES = ("bitnami/mlflow", "bitnamilegacy/mlflow", "burakince/mlflow", "ghcr.io/kubeflow/mlflow-integration")
OPERATOR_IMAGE = "quay.io/opendatahub/mlflow"


def options(source: Source, result: Result) -> None:
    """Options of `mlflow server`: names with values, or words as `--name=value`."""
    for place in ("extraArgs", "server.value_options"):
        for name, value in (source.take(place) or {}).items():
            _option(f"{place}.{name}", value, result)
    for word in source.take("tracking.extraArgs") or []:
        name, _, value = str(word).removeprefix("--").partition("=")
        _option(f"tracking.extraArgs.{name}", value, result)
    for place in ("extraFlags", "server.flag_options"):
        for flag in source.take(place) or []:
            _flag(f"{place}.{flag}", result)


def _option(path: str, value: Any, result: Result) -> None:
    key = OPTIONS.get(_kebab(path))
    if key is None:
        result.left[path] = sentence(path)
    elif key == "mlflow.workers":
        result.set(key, int(value))
    else:
        result.set(key, str(value).split(",") if key.endswith(("Hosts", "Origins")) else value)


def _flag(path: str, result: Result) -> None:
    if _kebab(path) == "no-serve-artifacts":
        result.set("artifactStore.mode", "direct")
    elif _kebab(path) != "serve-artifacts":
        result.left[path] = sentence(path)


def _kebab(path: str) -> str:
    return re.sub("_|(?<=[a-z])(?=[A-Z])", "-", path.rsplit(".", maxsplit=1)[-1]).lower()


def image(source: Source, result: Result) -> None:
    """An image of one's own stays, with its registry in a key of its own; another chart's does not."""
    pull_secrets = [{"name": name} for name in source.take("image.pullSecrets") or []]
    if pull_secrets:
        result.set("imagePullSecrets", pull_secrets)
    whole = "/".join(filter(None, [source.take("image.registry"), source.take("image.repository")]))
    tag, digest = source.take("image.tag"), source.take("image.digest")
    if not whole or whole.removeprefix("docker.io/") in IMAGES or whole.startswith(OPERATOR_IMAGE):
        if tag or digest or whole:
            result.left["image"] = "set image.tag to a version of ghcr.io/mlflow/mlflow, or remove it"
        return
    first, _, rest = whole.partition("/")
    registry = first if "." in first or ":" in first or first == "localhost" else "docker.io"
    result.set("image.registry", registry)
    result.set("image.repository", rest if registry == first else whole)
    for key, value in (("tag", tag), ("digest", digest)):
        if value:
            result.set(f"image.{key}", value)


def official_image(source: Source, result: Result) -> None:
    """MLflow's own chart has the same image, so a tag alone stays."""
    if not source.has("image.repository"):
        source.setdefault("image.repository", "ghcr.io/mlflow/mlflow")
    image(source, result)
    if (result.get("image.registry"), result.get("image.repository")) == ("ghcr.io", "mlflow/mlflow"):
        del result.values["image"]["registry"], result.values["image"]["repository"]
    if not result.get("image"):
        result.values.pop("image", None)


def bitnami_ingress(source: Source, result: Result) -> None:
    """One host name and more of them become a list; its certificate is in Secret `<host>-tls`."""
    host = source.take("tracking.ingress.hostname", "")
    path = {
        "path": source.take("tracking.ingress.path", "/"),
        "pathType": source.take("tracking.ingress.pathType", "ImplementationSpecific"),
    }
    more = [each["name"] for each in source.take("tracking.ingress.extraHosts") or []]
    hosts = [{"host": each, "paths": [dict(path)]} for each in filter(None, [host, *more])]
    if hosts and source.has("tracking.ingress.enabled"):
        result.set("ingress.hosts", hosts)
    tls = list(source.take("tracking.ingress.extraTls") or [])
    if source.take("tracking.ingress.tls") and host:
        tls.insert(0, {"hosts": [host], "secretName": f"{host}-tls"})
    if tls:
        result.set("ingress.tls", tls)


def bitnami_network(source: Source, result: Result) -> None:
    """Bitnami's Service is a LoadBalancer by itself; its NetworkPolicy restricts only where told."""
    result.set("service.type", source.take("tracking.service.type", "LoadBalancer"))
    opened = source.take("tracking.networkPolicy.allowExternal") is not False
    if opened and source.take("tracking.networkPolicy.enabled"):
        path = "tracking.networkPolicy.allowExternal"
        result.left[path] = sentence(path)


def volume(source: Source, result: Result) -> None:
    """One access mode becomes a list."""
    if mode := source.take("storage.accessMode"):
        result.set("persistence.accessModes", [mode])
    source.take("storage.enabled")


def official_care(source: Source, result: Result) -> None:
    """`mlflow gc` after some days becomes the days that deleted runs stay; its CronJob is left to people."""
    path = "garbageCollection.olderThan"
    older_than = str(source.take(path, ""))
    if match := re.fullmatch(r"(\d+)d", older_than):
        result.set("retention.graceDays", int(match[1]))
    elif older_than:
        result.left[path] = sentence(path)
