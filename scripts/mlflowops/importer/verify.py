"""Reads everything back from the server and compares it with the source."""

import threading
from collections.abc import Iterable
from typing import Any

from mlflow.entities import Experiment, LifecycleStage, LoggedModel, Metric, Run
from mlflow.entities.model_registry import RegisteredModel

from mlflowops.importer import artifact_copy, models, registered_models, runs
from mlflowops.importer.ids import DIFFERS, STATE_TAG
from mlflowops.importer.transfer import Transfer


class Counts:
    """The number of objects of each kind in the source, and of equal ones on the server."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def add(self, kind: str, wanted: int, equal: int) -> None:
        """Count objects of one kind."""
        with self._lock:
            line = self.counts.setdefault(kind, [0, 0])
            line[0] += wanted
            line[1] += equal

    def add_all(self, kind: str, wanted: Iterable[Any], existing: Iterable[Any]) -> bool:
        """Count the objects on both sides; return whether none is missing."""
        needed = set(wanted)
        equal = needed & set(existing)
        self.add(kind, len(needed), len(equal))
        return needed == equal


def compare(
    transfer: Transfer,
    experiments: list[Experiment],
    wanted: list[Run],
    logged: list[LoggedModel],
    registered: list[RegisteredModel],
) -> Counts:
    """Compare everything; add differences to the problems of the transfer."""
    counts = Counts()
    for experiment in experiments:
        _experiment(transfer, counts, experiment)
    existing, models_on_server = runs.find_imported(transfer), models.find_imported(transfer)
    deleted = {each.experiment_id for each in experiments if each.lifecycle_stage == LifecycleStage.DELETED}
    transfer.for_each(
        "verifying runs",
        wanted,
        lambda run: _run(
            transfer, counts, run, existing.get(run.info.run_id), run.info.experiment_id in deleted
        ),
        lambda run: f"run {run.info.run_id}",
    )
    transfer.for_each(
        "verifying models",
        logged,
        lambda model: _model(transfer, counts, model, models_on_server.get(model.model_id)),
        lambda model: f"model {model.model_id}",
    )
    for model in registered:
        _registered(transfer, counts, model)
    return counts


def _experiment(transfer: Transfer, counts: Counts, experiment: Experiment) -> None:
    existing = transfer.target.get_experiment(transfer.ids.experiments[experiment.experiment_id])
    tags = transfer.ids.tags(experiment.tags)
    equal = existing.lifecycle_stage == experiment.lifecycle_stage and tags.keys() <= existing.tags.keys()
    counts.add("experiments", 1, int(equal))
    if not equal:
        transfer.problems.append(f"experiment {experiment.name}: its tags or its stage differ")


def _run(
    transfer: Transfer, counts: Counts, run: Run, existing: Run | None, experiment_deleted: bool
) -> None:
    if existing is None:
        counts.add("runs", 1, 0)
        transfer.problems.append(f"run {run.info.run_id}: is missing")
        return
    wrong = [name for name, equal in _facts(run, existing, experiment_deleted).items() if not equal]
    wrong += (
        [] if counts.add_all("params", run.data.params.items(), existing.data.params.items()) else ["params"]
    )
    tags = transfer.ids.tags(run.data.tags)
    wrong += [] if counts.add_all("tags", tags.items(), existing.data.tags.items()) else ["tags"]
    wrong += [] if counts.add_all("datasets", _datasets(run), _datasets(existing)) else ["datasets"]
    wrong += [key for key in run.data.metrics if not _metric(transfer, counts, key, run, existing)]
    files, missing, complete = artifact_copy.differences(
        transfer, f"run {run.info.run_id}", run.info.artifact_uri, existing.info.artifact_uri
    )
    counts.add("artifacts", files + len(missing), files)
    counts.add("runs", 1, int(complete and not wrong and not missing))
    if wrong or missing:
        transfer.problems.append(f"run {run.info.run_id}: differs in {', '.join(wrong + missing)}")
        if existing.info.lifecycle_stage == LifecycleStage.ACTIVE:
            transfer.target.set_tag(existing.info.run_id, STATE_TAG, DIFFERS)


def _facts(run: Run, existing: Run, experiment_deleted: bool) -> dict[str, bool]:
    old, new = run.info, existing.info
    deleted = experiment_deleted or old.lifecycle_stage == LifecycleStage.DELETED
    return {
        "name": old.run_name == new.run_name,
        "status": old.status == new.status,
        "start time": old.start_time == new.start_time,
        "end time": old.end_time == new.end_time,
        # A run that people deleted on the server since is no mistake of the import.
        "stage": new.lifecycle_stage == LifecycleStage.DELETED or not deleted,
    }


def _datasets(run: Run) -> set[tuple[str, str]]:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return {(each.dataset.name, each.dataset.digest) for each in inputs}


def _metric(transfer: Transfer, counts: Counts, key: str, run: Run, existing: Run) -> bool:
    wanted = transfer.source.client.get_metric_history(run.info.run_id, key)
    if len(wanted) == 1:  # then the latest value, which came with the run, is all of it
        return counts.add_all(
            "metric points", [repr(wanted[0].value)], [repr(existing.data.metrics.get(key))]
        )
    found = transfer.target.get_metric_history(existing.info.run_id, key)
    return counts.add_all("metric points", map(_point, wanted), map(_point, found))


def _point(metric: Metric) -> tuple[int, int, str]:
    return metric.timestamp, metric.step, repr(metric.value)


def _model(transfer: Transfer, counts: Counts, model: LoggedModel, existing: LoggedModel | None) -> None:
    if existing is None:
        counts.add("logged models", 1, 0)
        transfer.problems.append(f"model {model.model_id}: is missing")
        return
    files, wrong, complete = artifact_copy.differences(
        transfer, f"model {model.model_id}", model.artifact_location, existing.artifact_location
    )
    counts.add("artifacts", files + len(wrong), files)
    wrong += ["params"] if model.params != existing.params else []
    wrong += ["status"] if model.status != existing.status else []
    metrics = {(each.key, repr(each.value)) for each in model.metrics or []}
    wrong += (
        ["metrics"]
        if not metrics <= {(each.key, repr(each.value)) for each in existing.metrics or []}
        else []
    )
    counts.add("logged models", 1, int(complete and not wrong))
    if wrong:
        transfer.problems.append(f"model {model.model_id}: differs in {', '.join(wrong)}")
        transfer.target.set_logged_model_tags(existing.model_id, {STATE_TAG: DIFFERS})


def _registered(transfer: Transfer, counts: Counts, model: RegisteredModel) -> None:
    wanted = {str(each.version): each for each in transfer.source.versions(model.name)}
    found = registered_models.find_imported(transfer, model.name)
    complete = counts.add_all("model versions", wanted, found)
    aliases = transfer.target.get_registered_model(model.name).aliases
    complete &= counts.add_all(
        "aliases",
        [f"{model.name}@{each}" for each in model.aliases],
        [f"{model.name}@{each}" for each in aliases],
    )
    counts.add("registered models", 1, int(complete))
    if not complete:
        transfer.problems.append(f"registered model {model.name}: versions or aliases are missing")
