"""What a call is about: the ids and names of experiments, runs, models and the rest that it gives."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

# Only these are ever written. None of them holds a password, a key or what a user logs.
FIELDS = (
    "experiment_id", "experiment_ids", "experiment_name", "run_id", "run_uuid", "run_ids",
    "model_id", "model_ids", "model", "name", "new_name", "version", "alias", "stage",
    "trace_id", "trace_ids", "request_id", "request_ids", "assessment_id", "dataset_id", "dataset_ids",
    "schema_id", "queue_id", "item_ids", "scorer_id", "issue_id", "job_id",
    "endpoint_id", "endpoint_name", "secret_id", "secret_name", "model_definition_id", "guardrail_id",
    "budget_policy_id", "binding_id", "resource_type", "resource_id", "webhook_id",
    "username", "role_id", "role_name", "permission", "is_admin", "workspace", "workspace_name",
    "artifact_path", "path",
)  # fmt: skip
# In which objects of a body such fields stand too.
OUTER = ("trace", "trace_info", "trace_location", "mlflow_experiment", "assessment")
# Limits: characters of a value, values of a field, and bytes of all values in JSON.
MAX_LENGTH, MAX_VALUES, MAX_BYTES = 250, 10, 1500


def camel(name: str) -> str:
    """The other spelling of a field that MLflow takes in a body."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


NAMES = {spelling: name for name in FIELDS for spelling in (name, camel(name))}
NESTED = {spelling for name in OUTER for spelling in (name, camel(name))}


def object_ids(
    parameters: Mapping[str, Any], query: bytes, headers: Iterable[tuple[bytes, bytes]], body: Any
) -> dict[str, Any]:
    """Return the fields of a call, each with its value, or with a list where it has several.

    A field that path, query and body give differently has all of the values, so none hides another.

    Args:
        parameters: What the route takes from the path.
        query: The query, encoded.
        headers: Of the request: OpenTelemetry's clients name the experiment there.
        body: The parsed body, of any kind.
    """
    pairs = [*parameters.items(), *_of_headers(headers), *_of_query(query), *_of_body(body, 4)]
    found: dict[str, list[str]] = {}
    left = MAX_BYTES
    for name, value in pairs:
        for text in _texts(value):
            values = found.get(NAMES.get(name, ""), [])
            size = len(json.dumps(text)) + 2
            if name not in NAMES or text in values or len(values) >= MAX_VALUES or size > left:
                continue
            left -= size if values else size + len(name) + 6
            found[NAMES[name]] = [*values, text]
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def bounded(text: str) -> str:
    """Return a text whose form in JSON has a bound too: characters that it escapes take up to 12 bytes."""
    most = MAX_LENGTH if text.isascii() and text.isprintable() else MAX_LENGTH // 5
    return text if len(text) <= most else f"{text[:most]}..."


def _of_headers(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    return (("experiment_id", v.decode("latin-1")) for n, v in headers if n == b"x-mlflow-experiment-id")


def _of_query(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("latin-1"), max_num_fields=1000)
    except ValueError:
        return []


def _of_body(body: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a parsed body; old clients of MLflow encode it twice."""
    if isinstance(body, str) and depth == 4:
        try:
            body = json.loads(body)
        except ValueError:
            return
    if isinstance(body, dict):
        for name, value in body.items():
            if name in NAMES:
                yield name, value
            elif name in NESTED and depth:
                yield from _of_body(value, depth - 1)


def _texts(value: Any) -> Iterator[str]:
    """Yield texts and numbers, of a list too; anything else says nothing about which object it is."""
    for each in value[: 2 * MAX_VALUES] if isinstance(value, list) else [value]:
        if isinstance(each, (str, int, float)) and each != "":
            yield bounded(str(each))
