"""The values of a metric over time: of one run, of many, and a sample of each of many."""

from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from mlflow_kubernetes.server.fast.json_text import write_page
from mlflow_kubernetes.server.fast.statements import fetch, read_engine

HISTORY = """
SELECT CASE WHEN is_nan THEN 'NaN' ELSE value END, timestamp, step FROM metrics
WHERE run_uuid = %s AND key = %s
ORDER BY timestamp, step, value OFFSET %s LIMIT %s"""
BULK = """
SELECT run_uuid, CASE WHEN is_nan THEN 'NaN' ELSE value END, timestamp, step FROM metrics
WHERE key = %s AND run_uuid = ANY(%s)
ORDER BY run_uuid, timestamp, step, value LIMIT %s"""
# The last row of all, and the first of each of %(size)s equal parts but the last.
SAMPLES = """
SELECT given.number, sample.value, timestamp, step
FROM unnest(%(runs)s::text[]) WITH ORDINALITY AS given (run_uuid, number)
CROSS JOIN LATERAL (
    SELECT CASE WHEN is_nan THEN 'NaN' ELSE value END AS value, timestamp, step, part,
           lag(part) OVER sorted IS DISTINCT FROM part AS is_first, lead(part) OVER sorted IS NULL AS is_last
    FROM (SELECT *, ntile(%(size)s) OVER (ORDER BY step, timestamp, value, is_nan) AS part FROM metrics
          WHERE run_uuid = given.run_uuid AND key = %(key)s
                AND (%(start)s IS NULL OR step BETWEEN %(start)s AND %(end)s)) AS parts
    WINDOW sorted AS (ORDER BY step, timestamp, parts.value, is_nan)) AS sample
WHERE is_last OR (is_first AND part < %(size)s)
ORDER BY given.number, part"""
NO_NUMBERS = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}


def get_history(
    store: Any, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
) -> str:
    """Answer `metrics/get-history`. Arguments as SqlAlchemyStore.get_metric_history has them."""
    from mlflow.utils.search_utils import SearchUtils

    offset = SearchUtils.parse_start_offset_from_page_token(page_token)
    limit = None if max_results is None else max_results + 1
    rows = fetch(read_engine(store), HISTORY, [run_id, metric_key, offset, limit])
    token = None
    if max_results is not None and len(rows) == limit:
        token = SearchUtils.create_page_token(offset + max_results)
        rows = rows[:max_results]
    return write_page("metrics", [_write(metric_key, row) for row in rows], token and token.decode())


def get_bulk(store: Any, run_ids: list[str], metric_key: str, max_results: int) -> dict[str, Any]:
    """Answer `get-history-bulk`. Arguments as SqlAlchemyStore.get_metric_history_bulk has them."""
    rows = fetch(read_engine(store), BULK, [metric_key, list(run_ids), max_results])
    names = ("run_id", "value", "timestamp", "step", "key")
    return {"metrics": [dict(zip(names, (*row, metric_key), strict=True)) for row in rows]}


def get_samples(
    store: Any, run_ids: Any, metric_key: str, max_results: int, start_step: int | None, end_step: int | None
) -> str:
    """Answer `get-history-bulk-interval`. Arguments as get_metric_history_bulk_interval has them."""
    runs = list(run_ids)
    values = {"runs": runs, "key": metric_key, "size": max(1, max_results)}
    values |= {"start": start_step, "end": end_step}
    rows = fetch(read_engine(store), SAMPLES, values)
    texts = [
        _write(metric_key, values, f',\n      "run_id": {quoted(runs[number - 1])}')
        for number, *values in rows
    ]
    return write_page("metrics", texts, None)


def _write(key: str, values: Any, more: str = "") -> str:
    value, timestamp, step = values
    number = repr(value)
    return (
        f'{{\n      "key": {quoted(key)},\n      "value": {NO_NUMBERS.get(number, number)},'
        f'\n      "timestamp": {timestamp},\n      "step": {step}{more}\n    }}'
    )
