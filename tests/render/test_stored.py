"""What the API server stores is what was rendered: tools such as Argo CD compare the two.

A custom resource's definition has defaults; each one that a rendering leaves out shows as a difference.
"""

import copy
from pathlib import Path
from typing import Any

import pytest

from render import custom
from render.chart import MLFLOW, Chart, Json, Manifest


def stored(node: Any, schema: Any) -> Any:
    """An object, or a part of one, with the defaults of its definition, as the API server applies them."""
    if isinstance(node, list):
        return [stored(each, schema.get("items", {})) for each in node]
    if not isinstance(node, dict):
        return node
    properties = schema.get("properties", {})
    defaults = {
        key: copy.deepcopy(below["default"]) for key, below in properties.items() if "default" in below
    }
    more = schema.get("additionalProperties")
    others = more if isinstance(more, dict) else {}
    return {key: stored(each, properties.get(key, others)) for key, each in (defaults | node).items()}


def as_stored(item: Json) -> Json:
    group = item["apiVersion"].rpartition("/")[0]
    return stored(item, custom.schemas(group)[item["apiVersion"], item["kind"]])


def test_every_custom_resource_is_stored_as_it_is_rendered(case: Path, rendered: Manifest) -> None:
    for item in filter(custom.is_custom, rendered.objects):
        assert as_stored(item) == item, (case, item["kind"])


def test_the_defaults_are_found() -> None:
    """The test above would see what is missing."""
    (item,) = [each for each in MLFLOW.render(HTTP_ROUTE).objects if each["kind"] == "HTTPRoute"]
    del item["spec"]["rules"][0]["backendRefs"][0]["weight"]
    assert as_stored(item)["spec"]["rules"][0]["backendRefs"][0]["weight"] == 1


ROUTE: Json = {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["mlflow.example.com"]}
HTTP_ROUTE: Json = {"httpRoute": ROUTE}


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "RequestRedirect", "requestRedirect": {"hostname": "b.example.com"}},
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 80}}},
        {"type": "CORS", "cors": {"allowOrigins": ["https://a.example.com"]}},
    ],
    ids=lambda rule: rule["type"],
)
def test_filters_of_the_values(chart: Chart, rule: Json) -> None:
    route = chart.render({"httpRoute": {**ROUTE, "filters": [rule]}}).one("HTTPRoute")
    assert as_stored(route) == route


def test_an_empty_group_is_that_of_services(chart: Chart) -> None:
    refs = [{"group": "", "kind": "Service", "name": "mesh"}]
    assert (
        chart.render({"httpRoute": {**ROUTE, "parentRefs": refs}}).one("HTTPRoute")["spec"]["parentRefs"]
        == refs
    )


def test_what_the_values_say_wins(chart: Chart) -> None:
    """A default stands only where nothing is said."""
    remote = {"key": "a", "property": "b", "decodingStrategy": "Base64"}
    template = {"engineVersion": "v2", "mergePolicy": "Merge"}
    secrets = {"mlflow-keys-secret": {"data": {"webhook-key": remote}, "template": template}}
    store = {"enabled": True, "secretStoreRef": {"name": "vault"}, "secrets": secrets}
    manifest = chart.render({"keys": {"fromSecret": {"enabled": True}}, "externalSecrets": store})
    spec = manifest.one("ExternalSecret", "mlflow-keys-secret")["spec"]
    refs = {each["secretKey"]: each["remoteRef"]["decodingStrategy"] for each in spec["data"]}
    assert refs == {"flask-secret-key": "None", "kek-passphrase": "None", "webhook-key": "Base64"}
    assert spec["target"]["template"]["mergePolicy"] == "Merge"
