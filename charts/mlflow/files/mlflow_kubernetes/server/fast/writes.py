"""Writing to a run: metrics, params, tags. One statement for all of a call; the run must be active."""

from typing import Any

from mlflow_kubernetes.server.fast.run_text import RUN_NAME
from mlflow_kubernetes.server.fast.single import write_metric, write_param, write_tag
from mlflow_kubernetes.server.fast.statements import fetch
from mlflow_kubernetes.server.fast.unusual import Unusual

ACTIVE_RUN = "WITH run AS (SELECT run_uuid FROM runs WHERE run_uuid = %(run)s AND lifecycle_stage = 'active'"
# New rows are written in the order of the call, in which reads find them. Existing rows are locked in that of
# their keys, so that calls at the same time do not wait for each other in a circle.
#
# Rows that exist already stay as they are, as in MLflow; only new ones can be the latest.
METRICS = """,
new_metrics AS (
    INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT m.key, m.value, m.timestamp, m.step, m.is_nan, run.run_uuid
    FROM run, unnest(%(metric_keys)s::text[], %(metric_values)s::float8[], %(times)s::bigint[],
                     %(steps)s::bigint[], %(nans)s::bool[])
        WITH ORDINALITY AS m (key, value, timestamp, step, is_nan, number)
    ORDER BY m.number
    ON CONFLICT DO NOTHING
    RETURNING key, value, timestamp, step, is_nan, run_uuid),
latest AS (
    INSERT INTO latest_metrics AS l (key, value, timestamp, step, is_nan, run_uuid)
    SELECT n.key, n.value, n.timestamp, n.step, n.is_nan, n.run_uuid
    FROM (SELECT DISTINCT ON (key) *, min(number) OVER (PARTITION BY key) AS first
          FROM (SELECT *, row_number() OVER () AS number FROM new_metrics) AS numbered
          ORDER BY key, step DESC, timestamp DESC, value DESC) AS n
    LEFT JOIN latest_metrics AS e ON e.run_uuid = n.run_uuid AND e.key = n.key
    ORDER BY e.key NULLS LAST, n.first
    ON CONFLICT (key, run_uuid) DO UPDATE
    SET value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
    WHERE (excluded.step, excluded.timestamp, excluded.value) > (l.step, l.timestamp, l.value))"""
GIVEN_PARAMS = (
    "unnest(%(param_keys)s::text[], %(param_values)s::text[]) WITH ORDINALITY AS p (key, value, number)"
)
# A param never changes: if one has another value, nothing at all is written.
NO_OTHER_PARAM = f""" AND NOT EXISTS (
    SELECT FROM params o JOIN {GIVEN_PARAMS} ON o.key = p.key AND o.value <> p.value
    WHERE o.run_uuid = %(run)s)"""
PARAMS = f""",
new_params AS (
    INSERT INTO params (key, value, run_uuid)
    SELECT p.key, p.value, run.run_uuid FROM run, {GIVEN_PARAMS}
    ORDER BY p.number
    ON CONFLICT DO NOTHING
    RETURNING key)"""  # noqa: S608 - constants
# Are all params as given now? If not, another call wrote one of them in this moment: the division by zero
# undoes the whole statement, which `statements` sends again.
AS_GIVEN = f""", CASE WHEN EXISTS (SELECT FROM run) THEN 1 / (
    (SELECT count(*) FROM new_params) + (
        SELECT count(*) FROM params o JOIN {GIVEN_PARAMS} ON o.key = p.key AND o.value = p.value
        WHERE o.run_uuid = %(run)s)
    = %(param_count)s)::int END"""  # noqa: S608 - constants
TAGS = """,
new_tags AS (
    INSERT INTO tags (key, value, run_uuid)
    SELECT t.key, t.value, run.run_uuid
    FROM run CROSS JOIN unnest(%(tag_keys)s::text[], %(tag_values)s::text[])
        WITH ORDINALITY AS t (key, value, number)
    LEFT JOIN tags AS e ON e.run_uuid = run.run_uuid AND e.key = t.key
    ORDER BY e.key NULLS LAST, t.number
    ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value)"""


def log_metric(store: Any, run_id: str, metric: Any) -> None:
    """Write one metric. Arguments as SqlAlchemyStore.log_metric has them."""
    from mlflow.utils.validation import _validate_metric

    _validate_metric(metric.key, metric.value, metric.timestamp, metric.step, path="")
    _check_usual([metric])
    if not write_metric(store, run_id, metric):
        _write(store, run_id, metrics=[metric])


def log_param(store: Any, run_id: str, param: Any) -> None:
    """Write one param. Arguments as SqlAlchemyStore.log_param has them."""
    from mlflow.utils.validation import _validate_param

    param = _validate_param(param.key, param.value)
    if not write_param(store, run_id, param):
        _write(store, run_id, params=[param])


def set_tag(store: Any, run_id: str, tag: Any) -> None:
    """Set one tag. Arguments as SqlAlchemyStore.set_tag has them."""
    from mlflow.utils.validation import _validate_tag

    tag = _validate_tag(tag.key, tag.value)
    _check_usual(tags=[tag])
    if not write_tag(store, run_id, tag):
        raise Unusual("no active run, or other params")


def log_batch(store: Any, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
    """Write metrics, params and tags. Arguments as SqlAlchemyStore.log_batch has them."""
    from mlflow.utils.validation import (
        _validate_batch_log_data,
        _validate_batch_log_limits,
        _validate_param_keys_unique,
        _validate_run_id,
    )

    _validate_run_id(run_id)
    metrics, params, tags = _validate_batch_log_data(metrics, params, tags)
    _validate_batch_log_limits(metrics, params, tags)
    _validate_param_keys_unique(params)
    _write(store, run_id, metrics, params, tags)


def _check_usual(metrics: Any = (), tags: Any = ()) -> None:
    if any(each.model_id or each.dataset_name or each.dataset_digest for each in metrics):
        raise Unusual("a metric of a model or a dataset")
    if any(each.key == RUN_NAME for each in tags):
        raise Unusual("a new name of the run")


def _write(store: Any, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
    _check_usual(metrics, tags)
    values: dict[str, Any] = {"run": run_id, **_metric_values(store, metrics)}
    values |= {"param_keys": [each.key for each in params], "param_values": [each.value for each in params]}
    values["param_count"] = len(params)
    last = {each.key: each.value for each in tags}  # of a key that is given twice, the last value counts
    values |= {"tag_keys": list(last), "tag_values": list(last.values())}
    statement = "".join(
        [
            ACTIVE_RUN,
            NO_OTHER_PARAM if params else "",
            ")",
            METRICS if metrics else "",
            PARAMS if params else "",
            TAGS if tags else "",
            " SELECT (SELECT count(*) FROM run)",
            AS_GIVEN if params else "",
        ]
    )
    ((active, *_),) = fetch(store.engine, statement, values, prepare=True)
    if not active:
        raise Unusual("no active run, or other params")


def _metric_values(store: Any, metrics: Any) -> dict[str, list[Any]]:
    stored = [store.sanitize_metric_value(each.value) for each in metrics]
    ranks = {
        (each.key, each.step, each.timestamp, value[1]) for each, value in zip(metrics, stored, strict=True)
    }
    if len(ranks) < len(metrics):  # 0 and NaN, 0 and -0: MLflow keeps the one that is first
        raise Unusual("a metric twice")
    return {
        "metric_keys": [each.key for each in metrics],
        "metric_values": [float(value) for _, value in stored],
        "nans": [is_nan for is_nan, _ in stored],
        "times": [each.timestamp for each in metrics],
        "steps": [each.step for each in metrics],
    }
