"""Random calls of every route by anna, who has no permissions, about what bert keeps.

`<name>` in a call stands for an id, which differs between two servers.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from mlflow.server.handlers import get_endpoints
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runtime.belongings import ANNA, SECOND, TRACE
from runtime.routes import Route

ARTIFACT = "<berts-experiment-id>/<berts-run>/artifacts/note.txt"
PATHS = [
    ARTIFACT,
    "note.txt",
    "",
    ".",
    "<berts-experiment-id>",
    "<annas-experiment-id>/../<berts-experiment-id>/<berts-run>/artifacts/note.txt",
    "<annas-experiment-id>/%2e%2e/" + ARTIFACT,
    f"/{ARTIFACT}",
    f"./{ARTIFACT}",
    f"<annas-run>/artifacts/../../../{ARTIFACT}",
    "../../<berts-run>/artifacts/note.txt",
    "<berts-experiment-id>/traces/<berts-trace>/artifacts/traces.json",
]
FILTERS = [
    "",
    "tags.note LIKE '%'",
    "name LIKE '%'",
    "params.note != 'x'",
    "attributes.run_id = '<berts-run>'",
]
FILTERS += ["run_id = '<berts-run>'", "trace.status = 'OK'", "prompt = 'berts-prompt/1'", "x", "name = 'ü'"]
SOURCES = ["runs:/<berts-run>/model", "models:/berts-model/1", "models:/<berts-logged>", "s3://mlflow/1"]
SOURCES += [
    f"mlflow-artifacts:/{ARTIFACT}",
    "mlflow-artifacts:/<annas-experiment-id>/../<berts-experiment-id>",
]
TEXTS = ["note", "x", "", "ü€𝄞", "a\x00b", "../x", "' OR 1=1 --", "x" * 600, "bert", "anna"]
NUMBERS = [0, 1, 2, -1, SECOND, 2**31 - 1, 2**63 - 1]
# What a field or a parameter may mean, by the end of its name. The first that fits counts.
MEANINGS: dict[str, list[str]] = {
    "experiment_ids?|source_experiment": ["<berts-experiment-id>", "<annas-experiment-id>", "0"],
    "run_ids?|run_uuids?": ["<berts-run>", "<annas-run>"],
    "(trace|request)_ids?": ["<berts-trace>"],
    "assessment_id": ["<berts-assessment>"],
    "dataset_ids?": ["<berts-dataset>"],
    "model_definition_id": ["<berts-definition>"],
    "model_ids?": ["<berts-logged>", "<annas-logged>"],
    "endpoint_ids?|resource_id": ["<berts-endpoint-id>", "<berts-experiment-id>", "berts-model"],
    "secret_id": ["<berts-secret>"],
    "schema_ids?": ["<berts-schema>"],
    "queue_id": ["<berts-queue>"],
    "item_ids?": ["<berts-trace>"],
    "scorer_id": ["<berts-scorer>"],
    "issue_id": ["<berts-issue>"],
    "webhook_id": ["<webhook>"],
    "role_id": ["<role>"],
    "new_name": ["berts-model", "annas-new"],
    "endpoint_name": ["berts-endpoint"],
    "experiment_name": ["berts-experiment"],
    "filter.*": FILTERS,
    "source|run_link|uri": SOURCES,
    "path|artifact_directory_path|filename": PATHS,
    "username|user|users|created_by|new_owner|source_id": ["bert", "anna", "admin", "nobody"],
    "password": [ANNA[1]],
    "permission": ["MANAGE", "READ"],
    "resource_type": ["experiment", "registered_model", "gateway_endpoint", "gateway_secret"],
    "provider": ["nope"],
    "workspace(_name)?": ["default", "nope"],
    "(model_)?version": ["1", "2"],
    "alias": ["champion"],
    "(metric_|tag_)?key": ["loss", "note", "mlflow.artifactLocation", "mlflow.traceSpans"],
    "page_token": ["", "eyJvZmZzZXQiOiAwfQ==", "x"],
    "max_results|max_traces": ["0", "1", "100", "-1"],
    "order_by": ["name", "timestamp DESC", "x", "start_time"],
    "(model_|secret_|scorer_|prompt_)?name": [
        "berts-model", "berts-prompt", "berts-experiment", "berts-secret", "berts-definition",
        "berts-endpoint", "berts-schema", "berts-scorer", "org.example/berts", "annas-model", "annas-new",
    ],
}  # fmt: skip
# Sent in a query and a body by routes that no message describes.
PARAMETERS = [
    "experiment_id", "experiment_ids", "run_id", "run_uuid", "run_ids", "trace_id", "request_id",
    "trace_ids", "dataset_id", "model_id", "endpoint_id", "secret_id", "role_id", "name", "version", "path",
    "uri", "username", "password", "permission", "resource_type", "resource_id", "filter", "filter_string",
    "page_token", "max_results", "key", "value", "metric_key", "model", "metric_keys", "workspace",
    "scorer_id",
]  # fmt: skip
GRAPHQL = [
    'mlflowGetRun(input: {runId: "%s"}) {run {info {artifactUri} data {params {value} tags {key value}}}}',
    'mlflowGetExperiment(input: {experimentId: "%s"}) {experiment {name artifactLocation tags {key value}}}',
    'mlflowSearchRuns(input: {experimentIds: ["%s"]}) {runs {info {runName} data {params {value}}}}',
    'mlflowSearchModelVersions(input: {filter: "%s"}) {modelVersions {name description source tags {value}}}',
    'mlflowListArtifacts(input: {runId: "%s"}) {rootUri files {path}}',
    'mlflowGetMetricHistoryBulkInterval(input: {runIds: ["%s"], metricKey: "loss"}) {metrics {key value}}',
    'mlflowSearchDatasets(input: {experimentIds: ["%s"]}) {datasetSummaries {name}}',
    'test(inputString: "%s") {output}',
    "__schema {types {name}} # %s",
]
GRAPHQL_VALUES = [
    "<berts-run>",
    "<berts-experiment-id>",
    "<annas-run>",
    "<annas-experiment-id>",
    "",
    "name LIKE '%'",
]


def camel(name: str) -> str:
    """The other spelling of a field."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


@dataclass
class Call:
    """One request, as it is before the ids of a server are filled in."""

    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.whole()[:900]

    def whole(self) -> str:
        """All that is sent."""
        query = f"?{urlencode(self.query, doseq=True, safe='<>')}" if self.query else ""
        return f"{self.method} {self.path}{query} {self.body or ''} {self.headers or ''}"


def messages() -> dict[tuple[str, str], Descriptor]:
    """The message that describes a route's parameters, by method and path."""
    found = {}
    for path, described, methods in get_endpoints(lambda request_class: request_class):
        if hasattr(described, "DESCRIPTOR"):
            found.update({(method, path): described.DESCRIPTOR for method in methods})
    return found


class Strangers:
    """Makes the calls of one seed.

    Args:
        seed: of the calls.
        ambiguous: whether every fifth call names things in two places, or in a way that MLflow cannot read.
    """

    def __init__(self, seed: int, ambiguous: bool = False) -> None:
        self.chance = random.Random(seed)
        self.messages = messages()
        self.ambiguous = ambiguous

    def call(self, route: Route) -> Call:
        """Return a call of this route."""
        made = self._call(route)
        if self.ambiguous and made.path != "/v1/traces" and self.chance.random() < 0.2:
            self._disagree(made)
        return made

    def _disagree(self, made: Call) -> None:
        """Let the query, the body and the spellings of a field have values of their own."""
        values = json.loads(made.body) if (made.body or "").startswith("{") else dict(made.query)
        names = [*values, *re.findall(r"<\w+-(run|logged|trace|dataset)>", made.path), "run_id"]
        name = self.chance.choice(names)
        other = self._text(name)
        match self.chance.randrange(5):
            case 0:
                values = {camel(name): other, **values}
            case 1:
                values = {**values, camel(name): other}
            case 2:
                values = {**values, "run_uuid": other}
            case 3:
                values = {camel(name): 5, **values} if self.chance.random() < 0.5 else {name: {}, **values}
            case _:
                made.query = {**made.query, name: other}
        made.body = json.dumps(values)
        if self.chance.random() < 0.3:
            made.headers["Content-Type"] = "text/plain"

    def _call(self, route: Route) -> Call:
        path = re.sub(r"<(?:\w+:)?(\w+)>|{(\w+)(?::\w+)?}", self._parameter, route.template)
        made = Call(route.method, path, headers={"Content-Type": "application/json"})
        if route.path.endswith("/graphql"):
            return self._graphql(made)
        if route.path == "/v1/traces":
            return self._spans(made)
        if route.method == "PUT" and "mlflow-artifacts" in path:
            made.body = "written by anna"
            return made
        values = self._values(route)
        if route.method in ("GET", "DELETE") and self.chance.random() < 0.8:
            made.query = {name: value for name, value in values.items() if not isinstance(value, dict)}
        else:
            made.body = json.dumps(values)
        if route.path.endswith("upload-artifact"):
            made.query, made.body = values, "written by anna"
        return made

    def _values(self, route: Route) -> dict[str, Any]:
        if route.path.endswith("demo/generate"):
            return {"features": []}  # the demo takes a minute
        message = self.messages.get((route.method, route.template))
        if message:
            return self._message(message, 0)
        return {name: self._text(name) for name in PARAMETERS if self.chance.random() < 0.8}

    def _parameter(self, found: re.Match[str]) -> str:
        return quote(self._text(found[1] or found[2]), safe="<>/%")

    def _text(self, name: str) -> str:
        """Return what a parameter of that name may be, rarely anything."""
        if self.chance.random() < 0.04:
            return self.chance.choice(TEXTS)
        pool = next((pool for words, pool in MEANINGS.items() if re.search(rf"(^|_)({words})$", name)), TEXTS)
        return pool[0] if self.chance.random() < 0.5 else self.chance.choice(pool)

    def _message(self, described: Descriptor, depth: int) -> dict[str, Any]:
        """Return most of the fields of a message."""
        kept = [each for each in described.fields if self.chance.random() < (0.85 if depth < 3 else 0.2)]
        return {each.name: self._field(each, depth) for each in kept}

    def _field(self, described: FieldDescriptor, depth: int) -> Any:
        below = described.message_type
        if below and below.GetOptions().map_entry:
            return {self._text("key"): self._text("value")}
        one = self._scalar(described) if not below else self._below(below, depth)
        return [one] if described.is_repeated else one

    def _below(self, described: Descriptor, depth: int) -> Any:
        known = {"Timestamp": "2026-09-21T14:13:20Z", "Duration": "1s", "FieldMask": "name"}
        known |= {"Value": "x", "Struct": {}, "ListValue": []}
        return known[described.name] if described.name in known else self._message(described, depth + 1)

    def _scalar(self, described: FieldDescriptor) -> Any:
        if described.enum_type:
            return self.chance.choice([each.name for each in described.enum_type.values])
        makers: dict[int, Callable[[], Any]] = {
            FieldDescriptor.CPPTYPE_STRING: lambda: self._text(described.name),
            FieldDescriptor.CPPTYPE_BOOL: lambda: self.chance.random() < 0.5,
        }
        return makers.get(described.cpp_type, lambda: self.chance.choice(NUMBERS))()

    def _graphql(self, made: Call) -> Call:
        query = "{%s}" % (self.chance.choice(GRAPHQL) % self.chance.choice(GRAPHQL_VALUES))
        if made.method == "GET":
            made.query = {"query": query}
        else:
            made.body = json.dumps({"query": query, "operationName": None, "variables": {}})
        return made

    def _spans(self, made: Call) -> Call:
        """Spans for bert's trace, or for his experiment."""
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add()
        span.name, span.span_id = "anna", b"\2" * 8
        span.start_time_unix_nano = span.end_time_unix_nano = SECOND * 10**6
        made.headers = {"Content-Type": "application/x-protobuf"}
        made.headers["x-mlflow-experiment-id"] = self._text("experiment_id")
        span.trace_id = self.chance.choice([TRACE, self.chance.randbytes(16)])
        made.body = request.SerializeToString().decode("latin-1")
        return made
