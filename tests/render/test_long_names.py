"""Names and labels at their length limits, and releases beside each other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.cronjob_names import cronjob_name
from sweep import sweep

from render.chart import CASES, MLFLOW, Json, Manifest, case_name, identity, merged

RELEASE, NAMESPACE = "r" * 53, "n" * 63
LABEL = re.compile(r"(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
NAME = re.compile(r"(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
HOST = ".".join(["h" * 63, "h" * 63, "h" * 63, "h" * 53, "example"])
EVERYTHING = MLFLOW.folder / "ci/everything-values.yaml"
METRICS = MLFLOW.folder / "ci/metrics-values.yaml"
# Kinds that belong to no namespace, of which two releases of one name would share one.
CLUSTER = re.compile(
    r"Cluster.*|Namespace|PersistentVolume|StorageClass|PriorityClass|.*WebhookConfiguration"
)
# Roles and bindings have names of another kind, which may have a colon.
ROLE_NAME = re.compile(r"(?=.{1,253}$)[-.:a-z0-9]+")
SELECTING = ("selector", "podSelector")


def values(case: Path) -> Json:
    return dict(yaml.safe_load(case.read_text()) or {})


def labels(node: Any) -> Iterator[Json]:
    """All labels of an object and of what it makes."""
    if isinstance(node, dict):
        for key in ("labels", "matchLabels"):
            yield from [node[key]] if isinstance(node.get(key), dict) else []
        for below in node.values():
            yield from labels(below)
    elif isinstance(node, list):
        for below in node:
            yield from labels(below)


def check(manifest: Manifest) -> None:
    """Names are labels of DNS and stand once; labels are labels."""
    names = manifest.names()
    assert len(names) == len(set(names))
    for item in manifest.objects:
        pattern = ROLE_NAME if item["kind"].startswith("ClusterRole") else NAME
        assert pattern.fullmatch(item["metadata"]["name"]), identity(item)
        if item["kind"] == "CronJob":
            task = item["metadata"]["labels"]["app.kubernetes.io/component"]
            server = manifest.component("Deployment", "server")["metadata"]["name"]
            assert item["metadata"]["name"] == cronjob_name(server, task)
            assert len(item["metadata"]["name"]) <= 52, identity(item)
        for found in labels(item):
            wrong = [pair for pair in found.items() if not LABEL.fullmatch(str(pair[1]))]
            assert wrong == [], identity(item)
    for name, pod in manifest.pods():
        parts = [each["name"] for key in ("volumes", "containers") for each in pod["spec"][key]]
        assert all(NAME.fullmatch(each) for each in parts), name


def test_the_longest_override() -> None:
    check(MLFLOW.render({**values(EVERYTHING), "fullnameOverride": "f" * 53}, namespace=NAMESPACE))


def test_the_longest_host() -> None:
    """253 characters, in each place that takes a host."""
    assert len(HOST) == 253
    path = {"host": HOST, "paths": [{"path": "/"}]}
    hosts = {
        "ingress": {"enabled": True, "hosts": [path], "tls": [{"hosts": [HOST], "secretName": "t" * 63}]},
        "mlflow": {"allowedHosts": [HOST], "corsAllowedOrigins": [f"https://{HOST}"]},
        "backendStore": {"postgres": {"enabled": True, "host": HOST}},
    }
    manifest = MLFLOW.render(hosts, release=RELEASE, namespace=NAMESPACE)
    check(manifest)
    assert manifest.component("Ingress", "server")["spec"]["rules"][0]["host"] == HOST
    assert (
        manifest.component("Deployment", "server") and manifest.server()["containers"][0]["name"] == "mlflow"
    )


def selects(item: Json) -> Iterator[Json]:
    """The selectors of an object: those of pods, also of a ServiceMonitor for Services."""
    for key in SELECTING:
        found = item.get("spec", {}).get(key)
        if isinstance(found, dict):
            yield found.get("matchLabels", found)


def chosen(one: Manifest, other: Manifest) -> list[str]:
    """What selectors of one release find in the other."""
    there = [pod["metadata"]["labels"] for _, pod in other.pods()]
    there += [each["metadata"]["labels"] for each in other.objects if each["kind"] == "Service"]
    return [
        identity(item)
        for item in one.objects
        for selector in selects(item)
        if any(selector.items() <= found.items() for found in there)
    ]


def apart(given: Json, *releases: str) -> None:
    """Two releases in one namespace share what the values name and nothing else."""
    one, two = (MLFLOW.render(given, release=each, namespace=NAMESPACE) for each in releases)
    check(one)
    words = str(merged(MLFLOW.default(), given))  # such as the names of Secrets
    assert [each for each in set(one.names()) & set(two.names()) if each.split("/")[1] not in words] == []
    assert chosen(one, two) == chosen(two, one) == []


@pytest.mark.parametrize("case", sweep(CASES, 8), ids=case_name)
def test_two_of_the_longest_releases(case: Path) -> None:
    """Helm takes 53 characters for a release, Kubernetes 63 for a namespace."""
    apart({**values(case), "fullnameOverride": ""}, f"{RELEASE[1:]}a", f"{RELEASE[1:]}b")


@pytest.mark.parametrize("releases", [("mlflow", "mlflow-two"), ("team-a", "team-b")])
def test_two_short_releases(releases: tuple[str, str]) -> None:
    apart({**values(EVERYTHING), "fullnameOverride": ""}, *releases)


def test_one_release_in_two_namespaces() -> None:
    """All that a release makes is in its namespace."""
    manifest = MLFLOW.render(values(EVERYTHING), namespace="one")
    assert [each for each in manifest.names() if CLUSTER.fullmatch(each.split("/")[0])] == []
    assert {each["metadata"].get("namespace", "one") for each in manifest.objects} == {"one"}


def test_alerts_and_scrapes_are_of_one_namespace() -> None:
    """A release of the same name elsewhere changes none of them."""
    manifest = MLFLOW.render(values(METRICS), namespace="one")
    rules = [rule for item in manifest.objects if item["kind"] == "PrometheusRule" for rule in _rules(item)]
    assert rules and [rule["alert"] for rule in rules if 'namespace="one"' not in rule["expr"]] == []
    monitors = [item for item in manifest.objects if item["kind"] == "ServiceMonitor"]
    assert monitors
    for item in monitors:
        assert item["spec"].get("namespaceSelector", {"matchNames": ["one"]}) == {"matchNames": ["one"]}


def _rules(item: Json) -> Iterator[Json]:
    for group in item["spec"]["groups"]:
        yield from group["rules"]
