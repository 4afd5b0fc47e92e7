"""Creating a run, and changing its state."""

import uuid
from typing import Any

from mlflow_kubernetes.server.fast.run_text import RUN_NAME
from mlflow_kubernetes.server.fast.statements import fetch
from mlflow_kubernetes.server.fast.unusual import Unusual

LOCATION = "SELECT artifact_location FROM experiments WHERE experiment_id = %s AND lifecycle_stage = 'active'"
# The location is compared again, because the run's own was computed from it.
CREATE = """
WITH experiment AS (
    SELECT experiment_id FROM experiments
    WHERE experiment_id = %(experiment)s AND lifecycle_stage = 'active' AND artifact_location = %(location)s),
run AS (
    INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
                      source_version, lifecycle_stage, artifact_uri, experiment_id)
    SELECT %(run)s, %(name)s, 'UNKNOWN', '', '', %(user)s, 'RUNNING', %(start)s, '', 'active', %(artifacts)s,
           experiment_id FROM experiment
    RETURNING run_uuid),
new_tags AS (
    INSERT INTO tags (key, value, run_uuid)
    SELECT t.key, t.value, run.run_uuid
    FROM run, unnest(%(tag_keys)s::text[], %(tag_values)s::text[]) AS t (key, value))
SELECT count(*) FROM run"""
UPDATE = """
UPDATE runs SET status = COALESCE(%(status)s, status), end_time = COALESCE(%(end)s, end_time)
WHERE run_uuid = %(run)s AND lifecycle_stage = 'active' AND name <> ''
      AND user_id IS NOT NULL AND start_time IS NOT NULL
RETURNING name, experiment_id, user_id, status, start_time, end_time, artifact_uri"""
LOCATIONS = 1024
_locations: dict[int, str] = {}


def create_run(
    store: Any, experiment_id: str, user_id: str, start_time: int, tags: Any, run_name: str
) -> Any:
    """Create a run. Arguments and result as SqlAlchemyStore.create_run has them."""
    from mlflow.entities import Run, RunData, RunInputs, RunTag
    from mlflow.utils.name_utils import _generate_random_name
    from mlflow.utils.uri import append_to_uri_path

    tags = list(tags or ())
    keys = [each.key for each in tags]
    tagged = next((each.value for each in tags if each.key == RUN_NAME), None)
    if (
        not start_time
        or user_id is None
        or len({*keys}) < len(keys)
        or (run_name and tagged not in (None, run_name))
    ):
        raise Unusual("a run without a start or a user, or with two names")
    name = run_name or tagged or _generate_random_name()
    if not tagged:
        tags.append(RunTag(RUN_NAME, name))
    number, run_id = _number(experiment_id), uuid.uuid4().hex
    location = _locations.get(number) or _find_location(store, number)
    artifacts = append_to_uri_path(location, run_id, store.ARTIFACTS_FOLDER_NAME)
    values = {"experiment": number, "location": location, "run": run_id, "name": name, "user": user_id}
    values |= {"start": start_time, "artifacts": artifacts}
    values |= {"tag_keys": [each.key for each in tags], "tag_values": [each.value for each in tags]}
    if fetch(store.engine, CREATE, values, repeatable=False, prepare=True) != [(1,)]:
        _locations.pop(number, None)
        raise Unusual("no active experiment")
    info = _info(run_id, (name, number, user_id, "RUNNING", start_time, None, artifacts))
    return Run(info, RunData(tags=tags), RunInputs(dataset_inputs=[]))


def update_run_info(
    store: Any, run_id: str, run_status: Any, end_time: int | None, run_name: str | None
) -> Any:
    """Change a run's state. Arguments and result as SqlAlchemyStore.update_run_info has them."""
    from mlflow.entities import RunStatus

    if run_name:
        raise Unusual("a new name of the run")
    status = None if run_status is None else RunStatus.to_string(run_status)
    values = {"run": run_id, "status": status, "end": end_time}
    rows = fetch(store.engine, UPDATE, values, prepare=True)
    if not rows:
        raise Unusual("no active run, or one without a value")
    return _info(run_id, rows[0])


def _number(experiment_id: str) -> int:
    text = str(experiment_id)
    # MLflow answers the text that was sent, such as 00, and the database may refuse it.
    if not text.isdecimal() or len(text) > 9 or str(int(text)) != text:
        raise Unusual("an experiment's id")
    return int(text)


def _find_location(store: Any, number: int) -> str:
    rows = fetch(store.engine, LOCATION, [number])
    if not rows or not rows[0][0]:
        raise Unusual("no active experiment")
    if len(_locations) >= LOCATIONS:
        _locations.clear()
    _locations[number] = location = str(rows[0][0])  # another thread may clear the cache
    return location


def _info(run_id: str, columns: tuple[Any, ...]) -> Any:
    from mlflow.entities import RunInfo

    name, experiment, user, status, start, end, artifacts = columns
    return RunInfo(
        run_id=run_id,
        run_name=name,
        experiment_id=str(experiment),
        user_id=user,
        status=status,
        start_time=start,
        end_time=end,
        lifecycle_stage="active",
        artifact_uri=artifacts,
    )
