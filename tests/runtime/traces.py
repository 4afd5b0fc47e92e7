"""Traces, sent as OpenTelemetry's exporters send them."""

import os

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Login = tuple[str, str] | None


def answer() -> ExportTraceServiceRequest:
    """One span, with an output, in a trace of its own."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = "answer", os.urandom(16), b"\2" * 8
    span.start_time_unix_nano, span.end_time_unix_nano = 1_790_000_000_000_000_000, 1_790_000_001_000_000_000
    attribute = span.attributes.add()
    attribute.key, attribute.value.string_value = "mlflow.spanOutputs", '"Answer: 42"'
    return request


def send(url: str, request: ExportTraceServiceRequest, login: Login = None) -> requests.Response:
    """Send it to experiment 0."""
    headers = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
    data = request.SerializeToString()
    return requests.post(f"{url}/v1/traces", data, headers=headers, auth=login, timeout=60)


def trace(url: str, login: Login = None) -> str:
    """Send one; its id."""
    request = answer()
    sent = send(url, request, login)
    assert sent.status_code == 200, sent.text
    return f"tr-{request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()}"
