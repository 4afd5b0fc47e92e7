"""Spans that arrive by OpenTelemetry's protocol are written as MLflow's own code writes them."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runtime.fallbacks import fallbacks
from runtime.postgres import Postgres
from runtime.server import Server
from runtime.traces import send

TABLES = {
    "spans": "trace_id, experiment_id, span_id, parent_span_id, name, type, status, start_time_unix_nano, "
    "end_time_unix_nano, duration_ns, content, input_cost, output_cost, total_cost, "
    "model_name, model_provider",
    "trace_info": "request_id, experiment_id, timestamp_ms, execution_time_ms, status, request_preview, "
    "response_preview, trace_name",
    "trace_tags": "request_id, key, value",
    "trace_request_metadata": "request_id, key, value",
}
START = 1_790_000_000_000_000_000
ATTRIBUTES = {
    "mlflow.spanInputs": ['"ü€𝄞"', '"line\\nbreak"', "{}"],
    "mlflow.spanType": ['"LLM"', '"TOOL"'],
    "mlflow.llm.cost": ['{"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}'],
    "mlflow.llm.model": ['"gpt"'],
    "session.id": ['"s"'],
    "100 % :name": ["%s"],
}
BAD = [
    {"name": "a\0b"},
    {"end_time_unix_nano": 2**64 - 1},
    {"start_time_unix_nano": 2**63},
    {"kind": '"' + "x" * 501 + '"'},
    {"again": True},
]


def add(request: ExportTraceServiceRequest, trace: int, number: int, **values: Any) -> None:
    """Add a span to a request."""
    span = request.resource_spans[0].scope_spans[0].spans.add()
    span.trace_id, span.span_id = trace.to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
    span.parent_span_id = (number // 2 + 1).to_bytes(8, "big") if number else b""
    attributes = values.pop("attributes", {}) | (
        {"mlflow.spanType": values.pop("kind")} if "kind" in values else {}
    )
    for key, text in attributes.items():
        attribute = span.attributes.add()
        attribute.key, attribute.value.string_value = key, text
    for name, value in values.items():
        setattr(span, name, value)


def requests(seed: int) -> Iterator[tuple[ExportTraceServiceRequest, bool]]:
    """Yield requests, and whether they hold what the database refuses."""
    chance = random.Random(seed)
    for each in range(40):
        request = ExportTraceServiceRequest()
        request.resource_spans.add().scope_spans.add()
        chosen = [
            (chance.randrange(1, 6), number)
            for number in chance.sample(range(150), chance.choice([1, 5, 120]))
        ]
        for trace, number in chosen:
            start = START + chance.randrange(10**9)
            values: dict[str, Any] = {
                "name": chance.choice(["a", "ü€𝄞", "", "%s"]),
                "start_time_unix_nano": start,
            }
            values["end_time_unix_nano"] = chance.choice([start + 5, start + 10**9])
            some = chance.sample(sorted(ATTRIBUTES), chance.randrange(4))
            values["attributes"] = {key: chance.choice(ATTRIBUTES[key]) for key in some}
            add(request, trace, number, **values)
        bad = chance.choice(BAD) if each % 5 == 4 else {}
        if bad:
            trace, number = chosen[0] if "again" in bad else (7, 0)
            values = {"name": "bad", "start_time_unix_nano": START, "end_time_unix_nano": START + 1}
            add(request, trace, number, **values | {key: bad[key] for key in bad if key != "again"})
        yield request, bool(bad)


def test_same_rows(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], postgres: Postgres
) -> None:
    """For new spans and spans that are sent again, and for those that the database refuses."""
    databases = ready_database(), ready_database()
    env = {"MLFLOW_KUBERNETES_LAUNCHER": "direct", "MLFLOW_EXPOSE_PROMETHEUS": "metrics"}
    servers = [
        start(MLFLOW_KUBERNETES_FAST_PATHS=on, **env, **database)
        for on, database in zip(("false", "true"), databases, strict=True)
    ]
    plain, fast = (server.ready() for server in servers)
    for request, bad in requests(1):
        before = sum(fallbacks(fast).values())
        theirs, ours = send(plain.url, request), send(fast.url, request)
        assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
        assert bad or (ours.ok and sum(fallbacks(fast).values()) == before), (str(request), ours.text)
    assert sum(fallbacks(fast).values()) > 0, "MLflow's own code writes what is not usual"
    for table, columns in TABLES.items():
        found = [
            sorted(map(repr, postgres.query(f"SELECT {columns} FROM {table}", database["PGDATABASE"])))
            for database in databases
        ]
        assert found[0] == found[1] and (found[0] or table == "trace_request_metadata"), table
