"""What the checks look at, as the Kubernetes API has it, in the API's own words (plain JSON)."""

from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from mlflowops import kube
from mlflowops.external_kinds import GROUP, KINDS, VERSION, Json, target

OPERATOR = "app.kubernetes.io/name=external-secrets"
ABSENT, FORBIDDEN = 404, 403


@dataclass(frozen=True)
class Found:
    """One namespace's part of External Secrets. None stands for what this account may not see."""

    namespace: str
    defined: bool | None
    """Whether the API server serves the operator's kinds."""
    operators: list[Json] | None
    external: list[Json]
    stores: dict[tuple[str, str], Json | None]
    """Each store that is referred to, by (kind, name); None where there is none."""
    secrets: dict[str, set[str] | None] | None
    """The keys of each Secret that pods read or an ExternalSecret makes; None where there is none."""
    pods: list[Json] = field(default_factory=list)


def read(namespace: str, context: str | None, seconds: float, store: tuple[str, str] | None = None) -> Found:
    """Ask the API for all of it; `store` is looked at even if nothing refers to it yet."""
    api = kube.connect(context)
    ask = _Asker(api, namespace, seconds)
    with kube.speaking(f"External Secrets in namespace {namespace!r}"):
        kinds = ask.kinds()
        external = ask.custom(KINDS["ExternalSecret"]) if kinds is not False else []
        references = {reference(each) for each in external} | ({store} if store else set())
        stores = {key: ask.store(*key) if kinds is not False else None for key in sorted(references)}
        pods = ask.pods()
        wanted = {name for pod in pods for name, _ in read_keys(pod)} | {target(each) for each in external}
        return Found(namespace, kinds, ask.operators(), external, stores, ask.secrets(wanted), pods)


def reference(external: Json) -> tuple[str, str]:
    """The store that an ExternalSecret reads, as (kind, name)."""
    found = external["spec"].get("secretStoreRef", {})
    return found.get("kind", "SecretStore"), found.get("name", "")


def read_keys(pod: Json) -> set[tuple[str, str]]:
    """Each (Secret, key) that a pod template or a pod cannot start without."""
    spec = pod["spec"]
    found = set()
    for box in [*spec.get("initContainers", []), *spec["containers"]]:
        for entry in box.get("env", []):
            source = entry.get("valueFrom", {}).get("secretKeyRef")
            if source and not source.get("optional"):
                found.add((source["name"], source["key"]))
    for volume in spec.get("volumes", []):
        secret = volume.get("secret", {})
        if secret and not secret.get("optional"):
            found |= {(secret["secretName"], item["key"]) for item in secret.get("items", [])}
    return found


class _Asker:
    """Questions to one API about one namespace."""

    def __init__(self, api: client.ApiClient, namespace: str, seconds: float) -> None:
        self.api = api
        self.namespace = namespace
        self.custom_api: Any = client.CustomObjectsApi(api)
        self.more: dict[str, Any] = {"_request_timeout": seconds}

    def kinds(self) -> bool | None:
        """Whether every kind is served; the list of an API group is open to every account."""
        try:
            found = self.custom_api.get_api_resources(GROUP, VERSION, **self.more)
        except ApiException as error:
            if error.status == ABSENT:
                return False
            raise
        return set(KINDS) <= {each.kind for each in found.resources}

    def custom(self, plural: str) -> list[Json]:
        """All objects of a kind in the namespace."""
        found = self.custom_api.list_namespaced_custom_object(
            GROUP, VERSION, self.namespace, plural, **self.more
        )
        return list(found["items"])

    def store(self, kind: str, name: str) -> Json | None:
        """A store of the namespace or of the cluster."""
        try:
            if kind == "ClusterSecretStore":
                cluster = (GROUP, VERSION, KINDS[kind], name)
                return dict(self.custom_api.get_cluster_custom_object(*cluster, **self.more))
            where = (GROUP, VERSION, self.namespace, KINDS["SecretStore"], name)
            return dict(self.custom_api.get_namespaced_custom_object(*where, **self.more))
        except ApiException as error:
            if error.status == ABSENT:
                return None
            if error.status == FORBIDDEN:
                return {"forbidden": True}
            raise

    def operators(self) -> list[Json] | None:
        """The operator's Deployments, in whichever namespace; None without the right to look everywhere."""
        try:
            found = client.AppsV1Api(self.api).list_deployment_for_all_namespaces(
                label_selector=OPERATOR, **self.more
            )
        except ApiException as error:
            if error.status == FORBIDDEN:
                return None
            raise
        return list(self.api.sanitize_for_serialization(found.items))

    def pods(self) -> list[Json]:
        """The pod templates of every Deployment and CronJob of MLflow's in the namespace."""
        label = {"label_selector": "app.kubernetes.io/part-of=mlflow", **self.more}
        deployments = client.AppsV1Api(self.api).list_namespaced_deployment(self.namespace, **label)
        crons = client.BatchV1Api(self.api).list_namespaced_cron_job(self.namespace, **label)
        plain = self.api.sanitize_for_serialization
        jobs = [each["spec"]["jobTemplate"] for each in plain(crons.items)]
        return [each["spec"]["template"] for each in [*plain(deployments.items), *jobs]]

    def secrets(self, names: set[str]) -> dict[str, set[str] | None] | None:
        """The keys of Secrets, never a value; None without the right to read them."""
        core = client.CoreV1Api(self.api)
        found: dict[str, set[str] | None] = {}
        for name in sorted(names):
            try:
                found[name] = set(core.read_namespaced_secret(name, self.namespace, **self.more).data or {})
            except ApiException as error:
                if error.status == FORBIDDEN:
                    return None
                if error.status != ABSENT:
                    raise
                found[name] = None
        return found
