"""Renders a chart as Helm does; every object of every rendering meets Kubernetes' strict schemas."""

import functools
import hashlib
import json
import os
import pickle
import subprocess
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlflowops.migrate_values.dotted_path import set_path
from mlflowops.paths import REPO

from render import custom, kubernetes_schemas
from testbed import platform_parts, tools

Json = dict[str, Any]
NEWEST = "1.37.0"
VERSIONS = ("1.33.0", "1.34.0", "1.35.0", "1.36.0", NEWEST)


class Refused(Exception):
    """Helm's own words when it does not render."""


class UniqueKeys(yaml.CSafeLoader):
    """A key that stands twice is an error, as it is for the API server; plain YAML loaders keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        if len(set(keys)) < len(keys):
            twice = {key for key in keys if keys.count(key) > 1}
            raise yaml.constructor.ConstructorError(
                None, None, f"keys that stand twice: {twice}", node.start_mark
            )
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Manifest:
    """What one rendering gave: its text and its objects."""

    text: str
    objects: list[Json]

    def one(self, kind: str, name: str = "mlflow") -> Json:
        """The only object of that kind and name."""
        (found,) = [item for item in self.objects if identity(item) == f"{kind}/{name}"]
        return found

    def names(self) -> list[str]:
        """`Kind/name` of every object, sorted; an object that stands twice shows twice."""
        return sorted(identity(item) for item in self.objects)

    def pods(self) -> Iterator[tuple[str, Json]]:
        """`Kind/name` and pod template (or pod) of everything that runs."""
        for item in self.objects:
            spec = item.get("spec", {})
            if item["kind"] == "Pod":
                yield identity(item), item
            elif item["kind"] == "CronJob":
                yield identity(item), spec["jobTemplate"]["spec"]["template"]
            elif "template" in spec:
                yield identity(item), spec["template"]

    def server(self) -> Json:
        """The pod spec of the server."""
        return self.component("Deployment", "server")["spec"]["template"]["spec"]

    def component(self, kind: str, name: str) -> Json:
        """The only object of that kind that belongs to a component of the release."""
        (found,) = [
            item
            for item in self.objects
            if item["kind"] == kind and item["metadata"]["labels"]["app.kubernetes.io/component"] == name
        ]
        return found

    def container(self, name: str = "mlflow") -> Json:
        """A container or init container of the server pod."""
        spec = self.server()
        (found,) = [each for each in spec["initContainers"] + spec["containers"] if each["name"] == name]
        return found

    def env(self, container: str = "mlflow") -> dict[str, str | None]:
        """Variables of the server, None for those that come from elsewhere. No name may stand twice."""
        entries = self.container(container)["env"]
        names = [entry["name"] for entry in entries]
        assert len(names) == len(set(names)), names
        return {entry["name"]: entry.get("value") for entry in entries}


class Chart:
    """One chart of this repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def render(
        self,
        values: Json | Path | None = None,
        *,
        release: str = "mlflow",
        namespace: str = "ml",
        kube_version: str = NEWEST,
        helm: str = "helm",
        notes: bool = False,
    ) -> Manifest:
        """Render with values (a mapping or a file); raises Refused with what Helm prints."""
        given = values.read_text() if isinstance(values, Path) else json.dumps(values or {})
        text = _helm(self.folder, given, release, namespace, kube_version, helm, notes)
        return Manifest(text, [] if notes else pickle.loads(_valid_objects(text, kube_version)))  # noqa: S301

    def notes(self, values: Json | Path | None = None) -> str:
        """What Helm prints after an install."""
        return self.render(values, notes=True).text.split("NOTES:\n", 1)[1]

    def default(self) -> Json:
        return pickle.loads(_parsed((self.folder / "values.yaml").read_text()))  # noqa: S301

    def schema(self) -> Json:
        """Return what the schema says of values. MLflow's own chart lets its templates enforce that."""
        file = pickle.loads(_parsed((self.folder / "values.schema.json").read_text()))  # noqa: S301
        return {**file["else"], "definitions": file["definitions"]} if "else" in file else file


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> bytes:
    """The content of a file in YAML or JSON; pickled, because tests change what they get."""
    return pickle.dumps(yaml.load(text, yaml.CSafeLoader))


@functools.lru_cache(maxsize=512)
def _helm(
    folder: Path, values: str, release: str, namespace: str, kube_version: str, helm: str, notes: bool
) -> str:
    """What Helm prints; several processes of one test run ask it once."""
    command = ["install", "--dry-run=client"] if notes else ["template", "--kube-version", kube_version]
    command = [
        str(tools.ensure(helm)),
        *command,
        release,
        str(folder),
        "--namespace",
        namespace,
        "--values",
        "-",
    ]
    shared = os.environ.get("TESTS_RENDERINGS")
    if not shared or not folder.is_relative_to(REPO):
        return _run_helm(command, values)
    kept = Path(shared, hashlib.sha256("\0".join([*command, values]).encode()).hexdigest())
    if kept.exists():
        return kept.read_text()
    text = _run_helm(command, values)
    partial = kept.with_suffix(f".{os.getpid()}")
    partial.write_text(text)
    partial.rename(kept)
    return text


def _run_helm(command: list[str], values: str) -> str:
    # No garbage collection: a rendering is short, takes a fifth less CPU so, and 150 MB at most.
    env = {**os.environ, "KUBECONFIG": os.devnull, "GOGC": "off"}
    done = subprocess.run(command, input=values, capture_output=True, text=True, env=env)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


@functools.lru_cache(maxsize=512)
def _valid_objects(text: str, kube_version: str) -> bytes:
    """The objects of a rendering, which are valid; pickled, because tests change what they get."""
    objects = [item for item in yaml.load_all(text, UniqueKeys) if item]
    for item in objects:
        _valid(json.dumps(item), kube_version)
    return pickle.dumps(objects)


@functools.lru_cache(maxsize=4096)
def _valid(item: str, kube_version: str) -> None:
    """Strict validation, once for each different object: most renderings change one of six."""
    parsed = json.loads(item)
    if custom.is_custom(parsed):
        custom.validate(parsed)
    else:
        kubernetes_schemas.validate(parsed, kube_version)


def identity(item: Json) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def nested(leaves: Json) -> Json:
    """Values that set these keys, which are dotted paths."""
    values: Json = {}
    for path, value in leaves.items():
        set_path(values, path, value)
    return values


def merged(base: Json, more: Json) -> Json:
    """Values with others laid over them, as Helm reads one file after another."""
    both = {
        key: merged(base[key], more[key])
        for key in base.keys() & more.keys()
        if isinstance(base[key], dict) and isinstance(more[key], dict)
    }
    return {**base, **more, **both}


MLFLOW = Chart(REPO / "charts/mlflow")
POSTGRESQL = Chart(REPO / "testbed/charts/postgresql")
SEAWEEDFS = Chart(REPO / "testbed/charts/seaweedfs")
PLATFORM = {name: Chart(REPO / "testbed/charts" / name) for name in platform_parts.PARTS}
OTHERS = [POSTGRESQL, SEAWEEDFS, *PLATFORM.values()]
MLFLOW_VERSION: str = yaml.safe_load((MLFLOW.folder / "Chart.yaml").read_text())["appVersion"]
CASES = sorted(MLFLOW.folder.glob("ci/*-values.yaml"))


def case_name(path: Path) -> str:
    return path.name.removesuffix("-values.yaml")


# How each command of the chart begins.
INIT = ["/bin/sh", "/opt/mlflow-kubernetes/init.sh"]
PYTHON = [*INIT, "python", "/opt/mlflow-kubernetes/mlflow_kubernetes"]

# What several pods need besides stores that they share.
KEYS: Json = {"keys": {"fromSecret": {"enabled": True}}}


def postgres(**more: Any) -> Json:
    """Values for a PostgreSQL, the least that is legal and more."""
    return {"backendStore": {"postgres": {"enabled": True, "host": "db", **more}}}


def s3(**more: Any) -> Json:
    """Values for an S3 store, the least that is legal and more."""
    return {"artifactStore": {"s3": {"enabled": True, "bucket": "models", **more}}}


def oidc(**more: Any) -> Json:
    """Values for a login at an OpenID provider, the least that is legal and more; keys are apart."""
    login = {"issuer": "https://id.example.com", "clientId": "mlflow", "allowedGroups": ["team"]}
    redirect = {"redirectUri": "https://mlflow.example.com/callback"}
    return {
        "auth": {"mode": "oidc", "oidc": {**login, **redirect, **more}},
        "mlflow": {"launcher": "upstream"},
        **postgres(poolSize=10, maxOverflow=40),
        **s3(),
    }


def kubernetes_auth(**more: Any) -> Json:
    """Values for permissions by RBAC, the least that is legal and more; keys are apart."""
    return {
        "auth": {"mode": "kubernetes", "kubernetes": more},
        "mlflow": {"launcher": "upstream"},
        **postgres(poolSize=10, maxOverflow=40),
        **s3(),
    }


# The gateway of a service mesh, which names users in a header.
GATEWAY: Json = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "istio-system"}},
    "podSelector": {"matchLabels": {"app": "istio-ingressgateway"}},
}


def user_header(**more: Any) -> Json:
    """Values for users in a header, the least that is legal and more; keys are apart."""
    header = {"enabled": True, "gateway": [GATEWAY], **more}
    return {**kubernetes_auth(userHeader=header), "networkPolicy": {"enabled": True}}


def azure(**more: Any) -> Json:
    """Values for Azure's storage, the least that is legal and more."""
    return {
        "artifactStore": {
            "azure": {"enabled": True, "storageAccount": "account", "container": "models", **more}
        }
    }


def gcs(**more: Any) -> Json:
    """Values for Google's storage, the least that is legal and more."""
    return {"artifactStore": {"gcs": {"enabled": True, "bucket": "models", **more}}}
