"""Imports runs: first empty ones, so that every id is known, then their content."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import (
    LifecycleStage,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunStatus,
    RunTag,
)

from mlflowops.importer import artifact_copy
from mlflowops.importer.ids import DIFFERS, SOURCE_TAG, STATE_TAG, fingerprint
from mlflowops.importer.source import runs
from mlflowops.importer.transfer import Transfer

# What one log-batch request takes: MLflow allows 1000 things and 1 MB, a param has up to 6000 characters
# and a tag 8000.
METRICS, PARAMS, TAGS = 800, 50, 25


def find_imported(transfer: Transfer) -> dict[str, Run]:
    """Return the runs that earlier imports made on the server, by their id in the source."""
    found: dict[str, Run] = {}
    for experiment in set(transfer.ids.experiments.values()):
        for run in runs(transfer.target, experiment, f"tags.`{SOURCE_TAG}` LIKE '%'"):
            source = run.data.tags[SOURCE_TAG]
            if source in found:
                transfer.problems.append(
                    f"run {source} is there twice: delete {run.info.run_id} and import again"
                )
            found.setdefault(source, run)
    return found


def create(transfer: Transfer, wanted: list[Run]) -> dict[str, Run]:
    """Find or create every run on the server; return the server's runs by their id in the source."""
    existing = find_imported(transfer)

    def create_one(run: Run) -> None:
        existing[run.info.run_id] = transfer.target.create_run(
            transfer.ids.experiments[run.info.experiment_id],
            start_time=run.info.start_time,
            run_name=run.info.run_name,
            # The tag is part of the request that creates: no crash can separate them.
            tags={**_user(run), SOURCE_TAG: run.info.run_id},
        )

    missing = [run for run in wanted if run.info.run_id not in existing]
    transfer.for_each("creating runs", missing, create_one, _name)
    transfer.ids.runs.update({source: run.info.run_id for source, run in existing.items()})
    return existing


def write_content(transfer: Transfer, wanted: list[Run], existing: dict[str, Run]) -> int:
    """Write the content of runs that are new or changed since the last import; return how many."""
    todo = [
        run
        for run in wanted
        if run.info.run_id in existing
        and existing[run.info.run_id].data.tags.get(STATE_TAG) != fingerprint(run)
    ]
    transfer.for_each(
        "filling runs", todo, lambda run: _write_content(transfer, run, existing[run.info.run_id]), _name
    )
    return len(todo)


def delete(transfer: Transfer, wanted: list[Run], deleted_experiments: set[str]) -> None:
    """Delete on the server what is deleted in the source; not the runs of deleted experiments."""
    existing = find_imported(transfer)
    todo = [
        run
        for run in wanted
        if run.info.lifecycle_stage == LifecycleStage.DELETED
        and run.info.experiment_id not in deleted_experiments
        and run.info.run_id in existing
        and existing[run.info.run_id].info.lifecycle_stage != LifecycleStage.DELETED
    ]
    target, ids = transfer.target, transfer.ids.runs
    transfer.for_each("deleting runs", todo, lambda run: target.delete_run(ids[run.info.run_id]), _name)


def _write_content(transfer: Transfer, run: Run, existing: Run) -> None:
    """Write everything, the state last: a run that has its state has everything else."""
    new = existing.info.run_id
    if existing.info.lifecycle_stage == LifecycleStage.DELETED:
        transfer.target.restore_run(new)
    overwrite = existing.data.tags.get(STATE_TAG) == DIFFERS
    complete = artifact_copy.copy_artifacts(
        transfer, _name(run), run.info.artifact_uri, existing.info.artifact_uri, overwrite
    )
    _datasets(transfer, run, new)
    _models(transfer, run, new)
    _status(transfer, run, new)
    tags = {**transfer.ids.tags(run.data.tags), STATE_TAG: fingerprint(run) if complete else DIFFERS}
    for metrics, params, pairs in _batches(_history(transfer, run), run.data.params, tags):
        transfer.target.log_batch(new, metrics, params, pairs)


def _batches(
    metrics: Iterator[Metric], params: dict[str, str], tags: dict[str, str]
) -> Iterator[tuple[list[Metric], list[Param], list[RunTag]]]:
    """Divide it into as few requests as MLflow's limits allow; the last tag is part of the last."""
    columns: list[list[Any]] = [
        list(_chunks(metrics, METRICS)),
        list(_chunks((Param(*each) for each in params.items()), PARAMS)),
        list(_chunks((RunTag(*each) for each in tags.items()), TAGS)),
    ]
    requests = max(len(column) for column in columns)
    yield from zip(*([[]] * (requests - len(column)) + column for column in columns), strict=True)


def _history(transfer: Transfer, run: Run) -> Iterator[Metric]:
    for key in run.data.metrics:
        yield from transfer.source.client.get_metric_history(run.info.run_id, key)


def _status(transfer: Transfer, run: Run, new: str) -> None:
    if run.info.end_time:
        transfer.target.set_terminated(new, run.info.status, run.info.end_time)
    elif run.info.status != RunStatus.to_string(RunStatus.RUNNING):
        transfer.target.update_run(new, run.info.status)


def _datasets(transfer: Transfer, run: Run, new: str) -> None:
    datasets = run.inputs.dataset_inputs if run.inputs else []
    if datasets:
        transfer.target.log_inputs(new, datasets)


def _models(transfer: Transfer, run: Run, new: str) -> None:
    """Link the logged models that the run read and wrote; only the missing: MLflow keeps repetitions."""
    models = transfer.ids.models
    if not models:
        return
    read, written = _linked(transfer.source.client, run.info.run_id)
    if not (read or written):
        return
    read_there, written_there = _linked(transfer.target, new)
    inputs = [LoggedModelInput(models[old]) for old in read if models.get(old) not in {None, *read_there}]
    outputs = [
        LoggedModelOutput(models[old], step)
        for old, step in written.items()
        if models.get(old) not in {None, *written_there}
    ]
    if inputs:
        transfer.target.log_inputs(new, models=inputs)
    if outputs:
        transfer.target.log_outputs(new, outputs)


def _linked(client: MlflowClient, run: str) -> tuple[set[str], dict[str, int]]:
    """Return the logged models that a run read and wrote; a search of runs does not return the former."""
    found = client.get_run(run)
    read = found.inputs.model_inputs if found.inputs else []
    written = found.outputs.model_outputs if found.outputs else []
    return {each.model_id for each in read}, {each.model_id: each.step for each in written}


def _user(run: Run) -> dict[str, str]:
    """The server takes the user of a run from this tag, at its creation only."""
    return {key: value for key, value in run.data.tags.items() if key == "mlflow.user"}


def _chunks(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _name(run: Run) -> str:
    return f"run {run.info.run_id}"
