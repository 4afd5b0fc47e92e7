"""Makes the External Secrets Operator fetch now, and restarts the pods that read its Secrets."""

from datetime import datetime, timezone

from mlflowops import kube
from mlflowops.errors import OpsError
from mlflowops.external_kinds import GROUP, PLURALS
from mlflowops.external_secrets.inventory import MLFLOW, read_keys
from mlflowops.kube import Json, Reader

SYNC_ANNOTATION = "force-sync"
"""The operator fetches again when this annotation changes, as its documentation says."""

RESTART_ANNOTATION = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` sets."""


def sync(namespace: str, context: str | None, seconds: float) -> list[str]:
    """Make the operator fetch every ExternalSecret, and wait until it has; return their names.

    Raises:
        OpsError: There is none, or the time is over.
    """
    reader = Reader(kube.connect(context), namespace)
    with kube.api_errors(f"externalsecrets in namespace {namespace!r}"):
        before = {name: _version(each) for name, each in _external_secrets(reader).items()}
        if not before:
            instead = "deploy MLflow with externalSecrets.enabled: true, or name another --namespace"
            raise OpsError("external-secrets", f"there is no ExternalSecret in {namespace!r}", instead)
        annotations = {SYNC_ANNOTATION: _now()}
        for name in before:
            kube.annotate(reader, GROUP, PLURALS["ExternalSecret"], name, annotations)
        _wait(reader, before, seconds)
    return list(before)


def restart(namespace: str, context: str | None) -> list[str]:
    """Restart every Deployment of MLflow that reads a Secret, pod by pod; return their names."""
    reader = Reader(kube.connect(context), namespace)
    annotations = {RESTART_ANNOTATION: _now()}
    restarted = []
    with kube.api_errors(f"deployments in namespace {namespace!r}"):
        for each in reader.list_all("apps/v1", "deployments", MLFLOW):
            if read_keys(each["spec"]["template"]):
                name = each["metadata"]["name"]
                kube.annotate_pod_template(reader, name, annotations)
                restarted.append(name)
    return restarted


def _external_secrets(reader: Reader) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in reader.list_all(GROUP, PLURALS["ExternalSecret"])}


def _wait(reader: Reader, before: dict[str, str], seconds: float) -> None:
    """Wait until the operator has fetched each of them since `before`."""
    found: dict[str, Json] = {}

    def is_fetched() -> bool:
        found.clear()
        found.update(_external_secrets(reader))
        return not _waiting(found, before)

    if not kube.wait_until(is_fetched, seconds, interval=0.5):
        name = _waiting(found, before)[0]
        wrong = f"{name} was not fetched within {seconds:.0f} s: {_message(found[name])}"
        raise OpsError("external-secrets", wrong, "see what `mlflowops external-secrets` says", 1)


def _waiting(found: dict[str, Json], before: dict[str, str]) -> list[str]:
    return [name for name, version in before.items() if name in found and _version(found[name]) == version]


def _message(external: Json) -> str:
    conditions = external.get("status", {}).get("conditions", [])
    return str(next((each.get("message") for each in conditions), "the operator says nothing"))


def _version(external: Json) -> str:
    """Return what the operator writes after a fetch: it includes the annotations."""
    return str(external.get("status", {}).get("syncedResourceVersion", ""))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
