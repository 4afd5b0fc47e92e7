"""A string of the values is refused, or arrives unchanged: as one string, in its place, as nothing else."""

import functools
import re
from typing import Any

import pytest
from sweep import sweep

from render.chart import MLFLOW, Chart, Json, Refused, azure, postgres, s3
from render.expansion import containers, expand, expanded, understood
from render.hostile import HOSTILE, TABLE, concerns, filled, places, refused, render
from render.test_contract import LEAVES, pick, resolve


def harmless(values: Json) -> dict[str, str]:
    """A word for each place, which no other place has."""

    def word(number: int, place: str) -> str:
        if place.endswith("digest"):
            return f"{number:0>64}"
        numeric = re.search(
            r"([iI]nterval|Timeout|request|size|sizeLimit|[.]cpu|[.]memory|clusterIP|Ranges[.]0)$", place
        )
        return f"7{number:03}" if numeric else f"zq{number:03}z"

    return {place: word(number, place) for number, place in enumerate(places(values))}


@functools.cache
def reference(name: str) -> list[Json]:
    """What the harmless words make."""
    return render(filled(TABLE[name], harmless(TABLE[name])))


def accepted(name: str, hostile: str) -> tuple[list[Json], set[str]]:
    """The objects with the hostile string in every place that takes it, and those places."""
    values, words = TABLE[name], harmless(TABLE[name])
    taking = set(words)
    while True:
        try:
            return render(filled(values, words | dict.fromkeys(taking, hostile))), taking
        except Refused as refusal:
            paths = refused(str(refusal))
            complaints = {place for place in taking if any(concerns(path, place) for path in paths)}
            assert complaints, f"not a sentence about a value: {refusal}"
            taking -= complaints


def replaced(node: Any, words: dict[str, str]) -> Any:
    """The same objects with other words in every string and key."""
    if isinstance(node, dict):
        return {replaced(key, words): replaced(below, words) for key, below in node.items()}
    if isinstance(node, list):
        return [replaced(each, words) for each in node]
    if not isinstance(node, str) or not words:
        return node
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], node)


def flat(node: Any, path: str = "") -> dict[str, Any]:
    """Every scalar by its path."""
    if isinstance(node, (dict, list)) and node:
        below = node.items() if isinstance(node, dict) else enumerate(node)
        return {name: leaf for key, each in below for name, leaf in flat(each, f"{path}/{key!r}").items()}
    return {path: node}


@pytest.mark.parametrize("hostile", sweep(HOSTILE, 28, 3), ids=ascii)
@pytest.mark.parametrize("name", TABLE)
def test_a_string_stays_a_string(name: str, hostile: str) -> None:
    objects, taking = accepted(name, hostile)
    words = harmless(TABLE[name])
    expected = replaced(list(map(understood, reference(name))), {words[place]: hostile for place in taking})
    wanted, found = flat(expected), flat(list(map(understood, objects)))
    assert {path: leaf for path, leaf in found.items() if wanted.get(path, Ellipsis) != leaf} == {}
    assert wanted.keys() == found.keys()


def test_a_release_may_have_a_number_for_a_name(chart: Chart) -> None:
    """And so may its namespace; the API server takes labels that are strings, nothing else."""
    values = {
        **postgres(host="db.1e3.svc"),
        **s3(),
        "fullnameOverride": "true",
        "networkPolicy": {"enabled": True},
    }
    manifest = chart.render(values, release="1e3", namespace="123")
    assert {item["metadata"]["labels"]["app.kubernetes.io/instance"] for item in manifest.objects} == {"1e3"}
    assert {"Deployment/true", "Service/true"} <= set(manifest.names())
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "1e3"}}}
    assert namespace in [
        peer for rule in manifest.one("NetworkPolicy", "true")["spec"]["egress"] for peer in rule["to"]
    ]


def test_a_secret_may_have_a_number_for_a_name(chart: Chart) -> None:
    """In the pod, and in the ExternalSecret that fills it."""
    store = {"externalSecrets": {"enabled": True, "secretStoreRef": {"name": "vault"}}}
    manifest = chart.render({**postgres(passwordFromSecret={"name": "1e3", "key": "yes"}), **store})
    assert manifest.one("ExternalSecret", "1e3")["spec"]["target"]["name"] == "1e3"
    (entry,) = [each for each in manifest.container()["env"] if each["name"] == "PGPASSWORD"]
    assert entry["valueFrom"]["secretKeyRef"] == {"name": "1e3", "key": "yes"}


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("$(A)", "1"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(B) $A $", "$(B) $A $"),
        ("$(A", "$(A"),
        ("$$$$", "$$"),
        ("$()$(A)", "$()1"),
        ("a$$b$$(A)$$", "a$b$(A)$"),
    ],
)
def test_references_as_kubernetes_replaces_them(text: str, got: str) -> None:
    """The cases of its own tests that matter here."""
    assert expand(text, {"A": "1"}) == got


def test_a_reference_of_the_values_stays_text(chart: Chart) -> None:
    """A password that a value refers to would be in the process list, and in answers of the server."""
    name = "$(PGPASSWORD)$$x"
    values = {
        **postgres(database=name, cleanupRunsEnabled=True),
        **s3(path=name),
        "mlflow": {"env": {"A": name}},
    }
    manifest = chart.render(
        {**values, "backup": {"enabled": True, "bucket": "b-1", "drill": {"enabled": True}}}
    )
    found = {entry["name"]: entry["value"] for entry in manifest.container()["env"] if "value" in entry}
    assert (found["PGDATABASE"], found["A"]) == ("$$(PGPASSWORD)$$$$x",) * 2
    started = [expanded(item) for item in manifest.objects]
    words = [word for item in started for each in containers(item) for word in each["command"]]
    assert f"--scratch={name}_drill" in words
    values = [
        entry.get("value", "") for item in started for each in containers(item) for entry in each["env"]
    ]
    assert {name, f"s3://models/{name}"} <= set(values) and not any("<PGPASSWORD>" in each for each in values)


def test_references_of_the_chart_are_replaced(chart: Chart) -> None:
    keys = {"enabled": True}
    manifest = chart.render(azure(endpoint="https://a$(POD_IP)", credentialsFromSecret=keys))
    (server,) = [
        each for each in containers(expanded(manifest.one("Deployment"))) if each["name"] == "mlflow"
    ]
    env = {entry["name"]: entry.get("value", "") for entry in server["env"]}
    assert "<POD_IP>" in env["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    _, key, endpoint = env["AZURE_STORAGE_CONNECTION_STRING"].split(";")
    assert (key, endpoint) == ("AccountKey=<AZURE_STORAGE_ACCESS_KEY>", "BlobEndpoint=https://a$(POD_IP)")


def strings(path: str) -> bool:
    """Whether a key holds free strings: neither numbers, switches and networks nor words of a list."""
    schema = MLFLOW.schema()
    node: Any = schema
    for key in path.split("."):
        node = resolve(resolve(node, schema)["properties"][key], schema)
    items = resolve(node.get("items", {}), schema)
    numeric = node.get("type") == ["integer", "string"] or isinstance(
        pick(MLFLOW.default(), path), (int, float)
    )
    networks = node.get("items") == {"$ref": "#/definitions/cidr"}
    return not numeric and not networks and "enum" not in {**node, **items} and "properties" not in node


def test_every_key_with_a_string_is_tried() -> None:
    """Also those of lists and of objects in the format of Kubernetes."""
    tried = {f"{place}." for values in TABLE.values() for place in places(values)}
    missing = {
        leaf for leaf in LEAVES if strings(leaf) and not any(each.startswith(f"{leaf}.") for each in tried)
    }
    assert missing == set()
