"""Fetch now instead of at the next interval, and let pods read what came."""

import time
from datetime import datetime, timezone
from typing import Any

from kubernetes import client

from mlflowops import kube
from mlflowops.errors import OpsError
from mlflowops.external_kinds import GROUP, KINDS, VERSION, Json
from mlflowops.external_secrets import objects

ASKED = "force-sync"
"""The annotation whose change makes the operator look again; its own documentation calls it so."""

RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` sets."""


def sync(namespace: str, context: str | None, seconds: float) -> list[str]:
    """Let the operator fetch every ExternalSecret, and wait until it has; the names."""
    custom: Any = client.CustomObjectsApi(kube.connect(context))
    with kube.speaking(f"externalsecrets in namespace {namespace!r}"):
        listed = custom.list_namespaced_custom_object(GROUP, VERSION, namespace, KINDS["ExternalSecret"])
        names = [each["metadata"]["name"] for each in listed["items"]]
        if not names:
            instead = "deploy MLflow with externalSecrets.enabled: true, or name another --namespace"
            raise OpsError("external-secrets", f"there is no ExternalSecret in {namespace!r}", instead)
        before = {each["metadata"]["name"]: _version(each) for each in listed["items"]}
        mark = {"metadata": {"annotations": {ASKED: _now()}}}
        for name in names:
            custom.patch_namespaced_custom_object(
                GROUP, VERSION, namespace, KINDS["ExternalSecret"], name, mark
            )
        _wait(custom, namespace, before, seconds)
    return names


def restart(namespace: str, context: str | None) -> list[str]:
    """Restart every Deployment of MLflow's that reads a Secret, one pod after the other; the names."""
    apps = client.AppsV1Api(kube.connect(context))
    mark = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: _now()}}}}}
    restarted = []
    with kube.speaking(f"deployments in namespace {namespace!r}"):
        found = apps.list_namespaced_deployment(namespace, label_selector="app.kubernetes.io/part-of=mlflow")
        for each in apps.api_client.sanitize_for_serialization(found.items):
            if objects.read_keys(each["spec"]["template"]):
                name = each["metadata"]["name"]
                apps.patch_namespaced_deployment(name, namespace, mark)
                restarted.append(name)
    return restarted


def _wait(custom: Any, namespace: str, before: dict[str, str], seconds: float) -> None:
    """Until the operator has fetched each of them after it was asked."""
    deadline = time.monotonic() + seconds
    while True:
        found = custom.list_namespaced_custom_object(GROUP, VERSION, namespace, KINDS["ExternalSecret"])
        names = {each["metadata"]["name"]: each for each in found["items"]}
        waiting = [name for name in before if name in names and _version(names[name]) == before[name]]
        if not waiting:
            return
        if time.monotonic() > deadline:
            wrong = f"{waiting[0]} was not fetched within {seconds:.0f} s: {_said(names[waiting[0]])}"
            raise OpsError("external-secrets", wrong, "see what `mlflowops external-secrets` says", 1)
        time.sleep(0.5)


def _said(external: Json) -> str:
    conditions = external.get("status", {}).get("conditions", [])
    return str(next((each.get("message") for each in conditions), "the operator says nothing"))


def _version(external: Json) -> str:
    """What the operator writes when it has fetched it: it counts the annotations in."""
    return str(external.get("status", {}).get("syncedResourceVersion", ""))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
