"""Reads the objects of External Secrets that the checks need, as plain JSON."""

from dataclasses import dataclass, field

from mlflowops import kube
from mlflowops.external_kinds import GROUP, PLURALS, target_secret
from mlflowops.kube import FORBIDDEN, NOT_FOUND, ApiError, Json, Reader

OPERATOR = "app.kubernetes.io/name=external-secrets"
MLFLOW = "app.kubernetes.io/part-of=mlflow"


@dataclass(frozen=True)
class Inventory:
    """The objects of External Secrets in one namespace. None stands for what this account may not read."""

    namespace: str
    defined: bool
    """Whether the API server serves the operator's kinds."""
    operators: list[Json] | None
    external: list[Json]
    stores: dict[tuple[str, str], Json | None]
    """Each store that is referred to, by (kind, name); None where there is none."""
    secrets: dict[str, set[str] | None] | None
    """The keys of each Secret that pods read or an ExternalSecret makes; None where there is none."""
    pods: list[Json] = field(default_factory=list)


def read(
    namespace: str, context: str | None, seconds: float, store: tuple[str, str] | None = None
) -> Inventory:
    """Read all of it, and also `store`, (kind, name), if nothing refers to it yet."""
    reader = Reader(kube.connect(context), namespace, seconds)
    query = _Query(reader)
    with kube.api_errors(f"External Secrets in namespace {namespace!r}"):
        served = query.are_kinds_served()
        external = reader.list_all(GROUP, PLURALS["ExternalSecret"]) if served else []
        references = {reference(each) for each in external} | ({store} if store else set())
        stores = {key: query.store(*key) if served else None for key in sorted(references)}
        pods = query.pods()
        wanted = {name for pod in pods for name, _ in read_keys(pod)} | {
            target_secret(each) for each in external
        }
        secrets = query.secrets(wanted)
        return Inventory(namespace, served, query.operators(), external, stores, secrets, pods)


def reference(external: Json) -> tuple[str, str]:
    """Return the store that an ExternalSecret reads, as (kind, name)."""
    found = external["spec"].get("secretStoreRef", {})
    return found.get("kind", "SecretStore"), found.get("name", "")


def read_keys(pod: Json) -> set[tuple[str, str]]:
    """Return each (Secret, key) that a pod or a pod template cannot start without."""
    spec = pod["spec"]
    found = set()
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {}).get("secretKeyRef")
            if source and not source.get("optional"):
                found.add((source["name"], source["key"]))
    for volume in spec.get("volumes", []):
        secret = volume.get("secret", {})
        if secret and not secret.get("optional"):
            found |= {(secret["secretName"], item["key"]) for item in secret.get("items", [])}
    return found


class _Query:
    """Reads one namespace's part of External Secrets."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def are_kinds_served(self) -> bool:
        """Return whether the API server serves every kind of the operator."""
        return set(PLURALS) <= self.reader.kinds(GROUP)

    def store(self, kind: str, name: str) -> Json | None:
        """Return a store of the namespace or of the cluster, or None if there is none."""
        read = self.reader.get_cluster_object if kind == "ClusterSecretStore" else self.reader.get
        plural = PLURALS["ClusterSecretStore" if kind == "ClusterSecretStore" else "SecretStore"]
        try:
            return read(GROUP, plural, name)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            if error.status == FORBIDDEN:
                return {"forbidden": True}
            raise

    def operators(self) -> list[Json] | None:
        """Return the operator's Deployments in all namespaces; None without the right to list them."""
        try:
            return self.reader.list_all_namespaces("apps/v1", "deployments", OPERATOR)
        except ApiError as error:
            if error.status == FORBIDDEN:
                return None
            raise

    def pods(self) -> list[Json]:
        """Return the pod templates of every Deployment and CronJob of MLflow in the namespace."""
        deployments = self.reader.list_all("apps/v1", "deployments", MLFLOW)
        jobs = [each["spec"]["jobTemplate"] for each in self.reader.list_all("batch/v1", "cronjobs", MLFLOW)]
        return [each["spec"]["template"] for each in [*deployments, *jobs]]

    def secrets(self, names: set[str]) -> dict[str, set[str] | None] | None:
        """Return the keys of Secrets, never a value; None without the right to read them."""
        try:
            found = {name: self.reader.secret(name) for name in sorted(names)}
        except ApiError as error:
            if error.status == FORBIDDEN:
                return None
            raise
        return {
            name: None if secret is None else set(secret.get("data") or {}) for name, secret in found.items()
        }
