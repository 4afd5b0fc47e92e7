"""Spans by OTLP, as an instrumented agent exports them: one trace with 20 spans in each request."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from benchmarks.cases.case import NUMBER, Case, Request
from benchmarks.load.ids import WRITES

SPANS = 20
START = 1_764_000_000_000_000_000


def _attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _export() -> list[Request]:
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.append(_attribute("service.name", "benchmark"))
    spans = resource.scope_spans.add().spans
    for number in range(SPANS):
        spans.add(
            trace_id=NUMBER.encode(),
            span_id=f"span{number:04}".encode(),
            parent_span_id=b"" if number == 0 else b"span0000",
            name=f"step {number}",
            kind=1,
            start_time_unix_nano=START + number * 1_000_000,
            end_time_unix_nano=START + (number + 1) * 1_000_000,
            attributes=[_attribute("input", "x" * 100), _attribute("output", "y" * 100)],
        )
    return [Request("POST", "/v1/traces", message.SerializeToString())]


HEADERS = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": str(WRITES.experiment_id)}

CASES = (Case("OTLP, 20 spans a request", "spans", _export, units=SPANS, headers=HEADERS),)
