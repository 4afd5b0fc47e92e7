"""Runs as the JSON text that MLflow writes: the same fields, in the same order, with the same spaces."""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from mlflow_kubernetes.server.fast.unusual import Unusual

# One row per run. What belongs to it comes as JSON arrays, in the same round trip. Values of metrics are
# text: JSON has no infinity, and Python reads its -0 as an integer.
COLUMNS = """
    r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri,
    r.lifecycle_stage,
    (SELECT json_agg(json_build_array(
        m.key, (CASE WHEN m.is_nan THEN 'NaN' ELSE m.value END)::text, m.timestamp, m.step))
     FROM latest_metrics m WHERE m.run_uuid = r.run_uuid),
    (SELECT json_agg(json_build_array(p.key, p.value)) FROM params p WHERE p.run_uuid = r.run_uuid),
    (SELECT json_agg(json_build_array(t.key, t.value)) FROM tags t WHERE t.run_uuid = r.run_uuid),
    EXISTS (SELECT FROM inputs i WHERE i.destination_type = 'RUN' AND i.destination_id = r.run_uuid)
    OR EXISTS (SELECT FROM inputs i
               WHERE i.source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND i.source_id = r.run_uuid)"""
STATUSES = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"}
RUN_NAME = "mlflow.runName"
NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def has_inputs_or_outputs(row: Any) -> bool:
    """Whether datasets or models are attached to the run of a row."""
    return bool(row[12])


def run_id(row: Any) -> str:
    """The id of the run of a row."""
    return str(row[0])


def start_time(row: Any) -> int | None:
    """The start time of the run of a row, in milliseconds."""
    found: int | None = row[5]
    return found


def write_run(row: Any, more: dict[str, Any], margin: str) -> str:
    """Return the text of a run.

    Args:
        row: The values of COLUMNS.
        more: Its `inputs` and `outputs` as MLflow's own messages, as dictionaries.
        margin: Spaces before the closing bracket.

    Raises:
        Unusual: A value is missing that MLflow's code needs.
    """
    pad = margin + "  "
    parts = [f'"info": {_info(row, pad)}', f'"data": {_data(row, pad)}']
    parts += [f'"{name}": {_nested(value, pad)}' for name, value in more.items()]
    return _object(parts, margin)


def _info(row: Any, margin: str) -> str:
    run, experiment, name, user, status, start, end, artifacts, stage = row[:9]
    if status not in STATUSES or user is None or start is None or not artifacts:
        raise Unusual("a run without a value")
    name = name or next((value for key, value in row[11] or () if key == RUN_NAME and value), name)
    parts = [f'"run_uuid": {quoted(run)}', f'"experiment_id": "{experiment}"']
    if name is not None:
        parts.append(f'"run_name": {quoted(name)}')
    parts += [f'"user_id": {quoted(user)}', f'"status": "{status}"', f'"start_time": {start}']
    if end:  # MLflow leaves 0 out
        parts.append(f'"end_time": {end}')
    parts += [
        f'"artifact_uri": {quoted(artifacts)}',
        f'"lifecycle_stage": "{stage}"',
        f'"run_id": {quoted(run)}',
    ]
    return _object(parts, margin)


def _data(row: Any, margin: str) -> str:
    pad = margin + "    "
    parts = []
    if row[9]:
        metrics = (_metric(each, pad) for each in row[9])
        parts.append(f'"metrics": {_array(metrics, margin + "  ")}')
    for name, pairs in (("params", row[10]), ("tags", row[11])):
        if pairs:
            texts = (_pair(key, value, pad) for key, value in pairs)
            parts.append(f'"{name}": {_array(texts, margin + "  ")}')
    return _object(parts, margin)


def _metric(values: Any, margin: str) -> str:
    key, value, timestamp, step = values
    if timestamp is None or step is None:
        raise Unusual("a metric without a value")
    number = quoted(value) if value in NO_NUMBERS else repr(float(value))
    inner = "\n" + margin + "  "
    return (
        f'{{{inner}"key": {quoted(key)},{inner}"value": {number},'
        f'{inner}"timestamp": {timestamp},{inner}"step": {step}\n{margin}}}'
    )


def _pair(key: str, value: str | None, margin: str) -> str:
    if value is None:
        raise Unusual("a tag without a value")
    inner = "\n" + margin + "  "
    return f'{{{inner}"key": {quoted(key)},{inner}"value": {quoted(value)}\n{margin}}}'


def _object(parts: list[str], margin: str) -> str:
    if not parts:
        return "{}"
    inner = "\n" + margin + "  "
    return "{" + inner + ("," + inner).join(parts) + "\n" + margin + "}"


def _array(parts: Iterable[str], margin: str) -> str:
    inner = "\n" + margin + "  "
    return "[" + inner + ("," + inner).join(parts) + "\n" + margin + "]"


def _nested(value: dict[str, Any], margin: str) -> str:
    return json.dumps(value, indent=2).replace("\n", "\n" + margin)
