"""Imports logged models: first empty ones, so that every id is known, then what is in them."""

from itertools import chain, groupby

from mlflow.entities import LoggedModel, LoggedModelStatus, Metric

from mlflowops.importer import artifacts
from mlflowops.importer.ids import DIFFERS, SOURCE, STATE
from mlflowops.importer.source import logged_models
from mlflowops.importer.transfer import Transfer

# The server keeps this list itself, from the versions that are created.
VERSIONS = "mlflow.modelVersions"


def make(transfer: Transfer, wanted: list[LoggedModel]) -> dict[str, LoggedModel]:
    """Find or create every logged model on the server; return the server's by their id in the source."""
    there = present(transfer)

    def create(model: LoggedModel) -> None:
        there[model.model_id] = transfer.target.create_logged_model(
            transfer.ids.experiments[model.experiment_id],
            model.name,
            source_run_id=transfer.ids.runs.get(model.source_run_id or ""),
            tags={**_tags(transfer, model), SOURCE: model.model_id},
            params=model.params,
            model_type=model.model_type,
        )

    transfer.each("creating models", [each for each in wanted if each.model_id not in there], create, _name)
    transfer.ids.models.update({source: model.model_id for source, model in there.items()})
    return there


def present(transfer: Transfer) -> dict[str, LoggedModel]:
    """Return the logged models that earlier imports made on the server, by their id in the source."""
    models = chain.from_iterable(
        logged_models(transfer.target, experiment) for experiment in set(transfer.ids.experiments.values())
    )
    return {model.tags[SOURCE]: model for model in models if SOURCE in model.tags}


def fill(transfer: Transfer, wanted: list[LoggedModel], there: dict[str, LoggedModel]) -> int:
    """Write the content of models that are new or changed since the last import; return how many."""
    todo = [
        model
        for model in wanted
        if model.model_id in there and there[model.model_id].tags.get(STATE) != _state(model)
    ]
    transfer.each("filling models", todo, lambda model: _fill(transfer, model, there[model.model_id]), _name)
    return len(todo)


def _fill(transfer: Transfer, model: LoggedModel, there: LoggedModel) -> None:
    again = there.tags.get(STATE) == DIFFERS
    complete = artifacts.copy(transfer, _name(model), model.artifact_location, there.artifact_location, again)
    _metrics(transfer, model, there.model_id)
    if model.status != LoggedModelStatus.PENDING:
        transfer.target.finalize_logged_model(there.model_id, model.status)
    tags = {**_tags(transfer, model), STATE: _state(model) if complete else DIFFERS}
    transfer.target.set_logged_model_tags(there.model_id, tags)


def _metrics(transfer: Transfer, model: LoggedModel, new: str) -> None:
    """A metric of a model is logged through the run that measured it."""
    measured = sorted(model.metrics or [], key=lambda each: str(each.run_id))
    for run, metrics in groupby(measured, key=lambda each: each.run_id):
        if run in transfer.ids.runs:
            transfer.target.log_batch(transfer.ids.runs[run], metrics=[_moved(each, new) for each in metrics])


def _moved(metric: Metric, model: str) -> Metric:
    return Metric(
        metric.key,
        metric.value,
        metric.timestamp,
        metric.step,
        model_id=model,
        dataset_name=metric.dataset_name,
        dataset_digest=metric.dataset_digest,
    )


def _tags(transfer: Transfer, model: LoggedModel) -> dict[str, str]:
    return {key: value for key, value in transfer.ids.tags(model.tags).items() if key != VERSIONS}


def _state(model: LoggedModel) -> str:
    return f"{model.status}@{model.last_updated_timestamp}"


def _name(model: LoggedModel) -> str:
    return f"model {model.model_id}"
