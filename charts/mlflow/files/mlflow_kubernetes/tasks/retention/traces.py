"""Old traces: which may be removed, and their removal by MLflow's own store."""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from mlflow_kubernetes.tasks.retention.candidates import DAY
from mlflow_kubernetes.tasks.retention.clock import now_milliseconds
from mlflow_kubernetes.tasks.retention.purge import Purge

# A trace without the tag of its artifacts' address has none.
OLD = """
    FROM trace_info t
    LEFT JOIN trace_tags a ON a.request_id = t.request_id AND a.key = 'mlflow.artifactLocation'
    WHERE timestamp_ms < %(before)s AND NOT EXISTS (
        SELECT FROM trace_tags k
        WHERE k.request_id = t.request_id AND k.key = %(keep_tag)s AND lower(k.value) <> 'false')"""
COUNT = f"SELECT count(*) {OLD}"
BATCH = f"""
    SELECT t.request_id, a.value, experiment_id {OLD} AND NOT t.request_id = ANY (%(failed)s)
    ORDER BY timestamp_ms LIMIT %(limit)s"""
Trace = tuple[str, str | None, int]


class OldTraces:
    """Traces that began more than so many days ago and do not have the keep tag."""

    def __init__(self, connection: Any, days: float, keep_tag: str) -> None:
        connection.autocommit = True
        self.cursor = connection.cursor()
        self.values = {"before": int(now_milliseconds(self.cursor) - days * DAY), "keep_tag": keep_tag}

    def count(self) -> int:
        """Return how many there are."""
        self.cursor.execute(COUNT, self.values)
        return int(self.cursor.fetchone()[0])

    def batch(self, limit: int, failed: Iterable[str]) -> list[Trace]:
        """Return the oldest ones, without those that could not be removed."""
        self.cursor.execute(BATCH, {**self.values, "limit": limit, "failed": list(failed)})
        return list(self.cursor.fetchall())


def remove_traces(purge: Purge, traces: list[Trace], attempt: Callable[..., bool]) -> int:
    """Remove the artifacts of each, then the traces of each experiment at once; return how many are removed.

    Args:
        purge: removes artifacts, and knows MLflow's store.
        traces: a batch.
        attempt: calls its first argument with the others, and returns whether that raised nothing.
    """
    cleared = [trace for trace in traces if not trace[1] or attempt(purge.artifacts, trace[0], trace[1])]
    removed = 0
    for experiment, group in groupby(sorted(cleared, key=_experiment), key=_experiment):
        ids = [trace[0] for trace in group]
        found: int = purge.store.delete_traces(str(experiment), trace_ids=ids)
        removed += found
        if not found:
            attempt(_refuse, ids[0], experiment)
    return removed


def _experiment(trace: Trace) -> int:
    return trace[2]


def _refuse(_trace: str, experiment: int) -> None:
    raise ValueError(f"MLflow removed no trace of experiment {experiment}")
