"""Deleted experiments: which may be removed permanently, with their traces."""

from collections.abc import Iterable
from typing import Any

from mlflow_kubernetes.tasks.retention.candidates import Candidates
from mlflow_kubernetes.tasks.retention.traces import Trace

# Runs and logged models are removed before; where one stays, because a model version needs it, for example,
# its experiment stays too. The default experiment stays, since clients log to it.
DUE = """
    SELECT experiment_id::text FROM experiments e
    WHERE lifecycle_stage = 'deleted' AND last_update_time < %(deleted_before)s AND experiment_id <> 0
    AND NOT EXISTS (SELECT FROM runs WHERE runs.experiment_id = e.experiment_id)
    AND NOT EXISTS (SELECT FROM logged_models m WHERE m.experiment_id = e.experiment_id)
    AND NOT EXISTS (
        SELECT FROM experiment_tags t
        WHERE t.experiment_id = e.experiment_id AND key = %(keep_tag)s AND lower(value) <> 'false')
    AND NOT EXISTS (
        SELECT FROM trace_info i JOIN trace_tags t ON t.request_id = i.request_id
        WHERE i.experiment_id = e.experiment_id AND key = %(keep_tag)s AND lower(value) <> 'false')
    ORDER BY last_update_time"""
TRACES = """
    SELECT t.request_id, a.value, t.experiment_id FROM trace_info t
    LEFT JOIN trace_tags a ON a.request_id = t.request_id AND a.key = 'mlflow.artifactLocation'
    WHERE t.experiment_id = %(experiment)s AND NOT t.request_id = ANY (%(failed)s) LIMIT %(limit)s"""


class DeletedExperiments:
    """Experiments that were deleted long enough ago and hold nothing that stays."""

    def __init__(self, candidates: Candidates) -> None:
        self.cursor = candidates.cursor
        self.values = candidates.values

    def due(self) -> list[str]:
        """Return their ids, that of the one deleted first as the first."""
        self.cursor.execute(DUE, self.values)
        return [row[0] for row in self.cursor.fetchall()]

    def traces(self, experiment: str, limit: int, failed: Iterable[str] = ()) -> list[Trace]:
        """Return traces of one, without those that could not be removed."""
        values: dict[str, Any] = {"experiment": int(experiment), "failed": list(failed), "limit": limit}
        self.cursor.execute(TRACES, values)
        return list(self.cursor.fetchall())
