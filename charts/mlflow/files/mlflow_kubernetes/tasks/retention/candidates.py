"""Which runs may be removed: queries of MLflow's tables, repeated so that no stale result decides."""

from typing import Any

from mlflow_kubernetes.tasks.retention.clock import now_milliseconds

DAY = 86_400_000  # milliseconds, as MLflow counts time
# Ids of runs and of logged models are 32 hexadecimal digits. A version needs whatever it names, in any form:
# runs:/<id>/model, models:/m-<id>, s3://bucket/1/<id>/artifacts/model. Better too many kept than one lost.
NEEDED = """
    named AS (
        SELECT DISTINCT (regexp_matches(concat_ws(' ', run_id, source, storage_location),
                                        '[0-9a-f]{32}', 'g'))[1] AS id
        FROM model_versions WHERE current_stage <> 'Deleted_Internal'),
    tagged AS (SELECT run_uuid AS id FROM tags WHERE key = %(keep_tag)s AND lower(value) <> 'false'),
    needed AS (
        SELECT id FROM named UNION SELECT id FROM tagged
        UNION SELECT source_run_id FROM logged_models JOIN named ON model_id = 'm-' || id),
    family AS (SELECT run_uuid AS child, value AS parent FROM tags WHERE key = 'mlflow.parentRunId')"""
ENDED = "status IN ('FINISHED', 'FAILED', 'KILLED') AND end_time < %(ended_before)s"
# A tree that still grows, or that has the keep tag, stays whole. Of an old one stay the runs that are needed
# and the parents above them.
OLD = f"""
    WITH RECURSIVE {NEEDED},
    whole AS (
        SELECT run_uuid AS id FROM runs WHERE lifecycle_stage = 'active' AND ({ENDED}) IS NOT TRUE
        UNION SELECT id FROM tagged
        UNION SELECT child FROM family JOIN whole ON parent = id),
    kept AS (
        SELECT id FROM whole UNION SELECT id FROM needed
        UNION SELECT parent FROM family JOIN kept ON child = id)
    SELECT run_uuid, artifact_uri FROM runs
    WHERE lifecycle_stage = 'active' AND {ENDED}
    AND {{not}} EXISTS (SELECT FROM kept WHERE id = run_uuid)
    ORDER BY end_time"""  # noqa: S608 - constants
DELETED = f"""
    WITH RECURSIVE {NEEDED},
    kept AS (
        SELECT id FROM needed UNION SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active'
        UNION SELECT parent FROM family JOIN kept ON child = id)
    SELECT run_uuid, artifact_uri FROM runs
    WHERE lifecycle_stage = 'deleted' AND deleted_time < %(deleted_before)s
    AND NOT EXISTS (SELECT FROM kept WHERE id = run_uuid)
    ORDER BY deleted_time"""  # noqa: S608 - constants
MODELS = f"""
    WITH {NEEDED}
    SELECT model_id, artifact_location FROM logged_models
    WHERE (source_run_id = %(run)s OR (%(run)s IS NULL AND lifecycle_stage = 'deleted'
                                       AND last_updated_timestamp_ms < %(deleted_before)s))
    AND NOT EXISTS (SELECT FROM named WHERE 'm-' || id = model_id)"""  # noqa: S608 - constants
REGISTERED = """
    SELECT count(*) FROM model_versions WHERE current_stage <> 'Deleted_Internal'
    AND concat_ws(' ', run_id, source, storage_location) LIKE ANY (%(patterns)s)"""


class Candidates:
    """The questions, asked through one connection."""

    def __init__(self, connection: Any, days: float | None, grace_days: float, keep_tag: str) -> None:
        connection.autocommit = True
        self.cursor = connection.cursor()
        now = now_milliseconds(self.cursor)
        self.values = {
            # Without an age no run has ended early enough.
            "ended_before": 0 if days is None else int(now - days * DAY),
            "deleted_before": int(now - grace_days * DAY),
            "keep_tag": keep_tag,
        }

    def old_runs(self, limit: int | None = None) -> list[tuple[str, str]]:
        """Runs whose time is over, the oldest first, with their artifacts' address."""
        return self._rows(OLD.replace("{not}", "NOT"), limit)

    def count_needed_old_runs(self) -> int:
        """How many runs are old enough and stay."""
        query = f"SELECT count(*) FROM ({OLD.replace('{not}', '')}) found"  # noqa: S608 - constants
        return int(self._rows(query, None)[0][0])

    def deleted_runs(self, limit: int | None = None) -> list[tuple[str, str]]:
        """Deleted runs whose grace is over, with their artifacts' address."""
        return self._rows(DELETED, limit)

    def deleted_models(self, run: str | None = None) -> list[tuple[str, str]]:
        """A run's logged models, or without a run those that were deleted themselves; with their address."""
        return self._rows(MODELS, None, run=run)

    def is_registered(self, *ids: str) -> bool:
        """Whether a model version names one of these runs or models by now."""
        return bool(self._rows(REGISTERED, None, patterns=[f"%{each}%" for each in ids])[0][0])

    def _rows(self, query: str, limit: int | None, **more: Any) -> list[Any]:
        self.cursor.execute(
            f"{query} {'LIMIT %(limit)s' if limit else ''}", {**self.values, "limit": limit, **more}
        )
        return list(self.cursor.fetchall())
