"""Reads everything back from the server and compares it with the source."""

import threading
from collections.abc import Iterable
from typing import Any

from mlflow.entities import Experiment, LifecycleStage, LoggedModel, Metric, Run
from mlflow.entities.model_registry import RegisteredModel

from mlflowops.importer import artifacts, models, registry, runs
from mlflowops.importer.ids import DIFFERS, STATE
from mlflowops.importer.transfer import Transfer


class Tally:
    """How many things of each kind the source has, and how many of them are equal on the server."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def add(self, kind: str, wanted: int, equal: int) -> None:
        """Count things of one kind."""
        with self._lock:
            line = self.counts.setdefault(kind, [0, 0])
            line[0] += wanted
            line[1] += equal

    def all(self, kind: str, wanted: Iterable[Any], there: Iterable[Any]) -> bool:
        """Count the things that are on both sides; say whether none is missing."""
        needed = set(wanted)
        equal = needed & set(there)
        self.add(kind, len(needed), len(equal))
        return needed == equal


def check(
    transfer: Transfer,
    experiments: list[Experiment],
    wanted: list[Run],
    logged: list[LoggedModel],
    registered: list[RegisteredModel],
) -> Tally:
    """Compare all of it; what is wrong is added to the transfer's problems."""
    tally = Tally()
    for experiment in experiments:
        _experiment(transfer, tally, experiment)
    there, made = runs.present(transfer), models.present(transfer)
    gone = {each.experiment_id for each in experiments if each.lifecycle_stage == LifecycleStage.DELETED}
    transfer.each(
        "verifying runs",
        wanted,
        lambda run: _run(transfer, tally, run, there.get(run.info.run_id), run.info.experiment_id in gone),
        lambda run: f"run {run.info.run_id}",
    )
    transfer.each(
        "verifying models",
        logged,
        lambda model: _model(transfer, tally, model, made.get(model.model_id)),
        lambda model: f"model {model.model_id}",
    )
    for model in registered:
        _registered(transfer, tally, model)
    return tally


def _experiment(transfer: Transfer, tally: Tally, experiment: Experiment) -> None:
    there = transfer.target.get_experiment(transfer.ids.experiments[experiment.experiment_id])
    tags = transfer.ids.tags(experiment.tags)
    right = there.lifecycle_stage == experiment.lifecycle_stage and tags.keys() <= there.tags.keys()
    tally.add("experiments", 1, int(right))
    if not right:
        transfer.problems.append(f"experiment {experiment.name}: its tags or its stage differ")


def _run(transfer: Transfer, tally: Tally, run: Run, there: Run | None, gone: bool) -> None:
    if there is None:
        tally.add("runs", 1, 0)
        transfer.problems.append(f"run {run.info.run_id}: is missing")
        return
    wrong = [name for name, right in _facts(run, there, gone).items() if not right]
    wrong += [] if tally.all("params", run.data.params.items(), there.data.params.items()) else ["params"]
    tags = transfer.ids.tags(run.data.tags)
    wrong += [] if tally.all("tags", tags.items(), there.data.tags.items()) else ["tags"]
    wrong += [] if tally.all("datasets", _datasets(run), _datasets(there)) else ["datasets"]
    wrong += [key for key in run.data.metrics if not _metric(transfer, tally, key, run, there)]
    files, missing, complete = artifacts.differences(
        transfer, f"run {run.info.run_id}", run.info.artifact_uri, there.info.artifact_uri
    )
    tally.add("artifacts", files + len(missing), files)
    tally.add("runs", 1, int(complete and not wrong and not missing))
    if wrong or missing:
        transfer.problems.append(f"run {run.info.run_id}: differs in {', '.join(wrong + missing)}")
        if there.info.lifecycle_stage == LifecycleStage.ACTIVE:
            transfer.target.set_tag(there.info.run_id, STATE, DIFFERS)


def _facts(run: Run, there: Run, gone: bool) -> dict[str, bool]:
    old, new = run.info, there.info
    deleted = gone or old.lifecycle_stage == LifecycleStage.DELETED
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


def _metric(transfer: Transfer, tally: Tally, key: str, run: Run, there: Run) -> bool:
    wanted = transfer.source.client.get_metric_history(run.info.run_id, key)
    if len(wanted) == 1:  # then the latest value, which came with the run, is all of it
        return tally.all("metric points", [repr(wanted[0].value)], [repr(there.data.metrics.get(key))])
    found = transfer.target.get_metric_history(there.info.run_id, key)
    return tally.all("metric points", map(_point, wanted), map(_point, found))


def _point(metric: Metric) -> tuple[int, int, str]:
    return metric.timestamp, metric.step, repr(metric.value)


def _model(transfer: Transfer, tally: Tally, model: LoggedModel, there: LoggedModel | None) -> None:
    if there is None:
        tally.add("logged models", 1, 0)
        transfer.problems.append(f"model {model.model_id}: is missing")
        return
    files, wrong, complete = artifacts.differences(
        transfer, f"model {model.model_id}", model.artifact_location, there.artifact_location
    )
    tally.add("artifacts", files + len(wrong), files)
    wrong += ["params"] if model.params != there.params else []
    wrong += ["status"] if model.status != there.status else []
    metrics = {(each.key, repr(each.value)) for each in model.metrics or []}
    wrong += (
        ["metrics"] if not metrics <= {(each.key, repr(each.value)) for each in there.metrics or []} else []
    )
    tally.add("logged models", 1, int(complete and not wrong))
    if wrong:
        transfer.problems.append(f"model {model.model_id}: differs in {', '.join(wrong)}")
        transfer.target.set_logged_model_tags(there.model_id, {STATE: DIFFERS})


def _registered(transfer: Transfer, tally: Tally, model: RegisteredModel) -> None:
    wanted = {str(each.version): each for each in transfer.source.versions(model.name)}
    found = registry.present(transfer, model.name)
    complete = tally.all("model versions", wanted, found)
    aliases = transfer.target.get_registered_model(model.name).aliases
    complete &= tally.all(
        "aliases",
        [f"{model.name}@{each}" for each in model.aliases],
        [f"{model.name}@{each}" for each in aliases],
    )
    tally.add("registered models", 1, int(complete))
    if not complete:
        transfer.problems.append(f"registered model {model.name}: versions or aliases are missing")
