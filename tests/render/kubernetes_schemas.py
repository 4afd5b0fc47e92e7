"""The strict schemas of Kubernetes' own kinds, which the package kubernetes-validate carries.

Its own `validate` reads megabytes of schemas for each object; here each kind's validator is made once.
"""

import functools
import json
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource


def validate(item: dict[str, Any], kube_version: str) -> None:
    """Raise what is wrong with an object; FileNotFoundError if that Kubernetes has no such kind."""
    minor = ".".join(kube_version.removeprefix("v").split(".")[:2])
    _validator(item["apiVersion"], item["kind"], minor).validate(item)


@functools.cache
def _validator(api_version: str, kind: str, minor: str) -> Draft202012Validator:
    group, slash, version = api_version.rpartition("/")
    name = f"{kind.lower()}-{group.partition('.')[0]}{'-' if slash else ''}{version}.json"
    schema = Resource.from_contents(_read(minor, name))
    return Draft202012Validator(schema.contents, registry=(schema @ _definitions(minor)).crawl())


@functools.cache
def _definitions(minor: str) -> Registry[Any]:
    return (Resource.from_contents(_read(minor, "_definitions.json")) @ Registry()).crawl()


def _read(minor: str, name: str) -> Any:
    package = resources.files("kubernetes_validate").joinpath("kubernetes-json-schema")
    # The package counts minor versions: v1.36.0 has the schemas of all of 1.36.
    text = package.joinpath(f"v{minor}.0-local-strict", name).read_text()
    return json.loads(text, object_hook=_with_null)


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Take null for what is a number or a string, as the API server does: `oneOf` refuses what fits both."""
    if isinstance(schema.get("oneOf"), list):
        schema["anyOf"] = schema.pop("oneOf")
    return schema
