"""Custom resources against the definitions of their operators, as strictly as Kubernetes' own kinds."""

import functools
from typing import Any

import jsonschema
import yaml

from testbed import tools

# Where each group of kinds is defined.
DEFINITIONS = {
    "monitoring.coreos.com": "prometheus-operator-crds",
    "external-secrets.io": "external-secrets-crds",
    "cert-manager.io": "cert-manager-crds",
    "gateway.networking.k8s.io": "gateway-api-crds",
}


@functools.cache
def schemas(group: str) -> dict[tuple[str, str], dict[str, Any]]:
    """A strict schema for each (apiVersion, kind) of a group."""
    found = {}
    text = tools.ensure(DEFINITIONS[group]).read_text()
    for definition in filter(None, yaml.load_all(text, yaml.CSafeLoader)):
        spec = definition["spec"]
        for version in spec["versions"]:
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found[key] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def _strict(node: Any) -> Any:
    """The same schema with nothing allowed that it does not name; Kubernetes drops that without a message."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    strict = {key: _strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)
    return strict


def is_custom(item: dict[str, Any]) -> bool:
    """Whether another project than Kubernetes defines this kind."""
    group = _group(item)
    return group in DEFINITIONS or ("." in group and not group.endswith(".k8s.io"))


def validate(item: dict[str, Any]) -> None:
    """Raise what is wrong with the object; KeyError if nothing here defines its kind."""
    _validator(_group(item), item["apiVersion"], item["kind"]).validate(item)


@functools.cache
def _validator(group: str, api_version: str, kind: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(schemas(group)[api_version, kind])


def _group(item: dict[str, Any]) -> str:
    return str(item["apiVersion"]).rpartition("/")[0]
