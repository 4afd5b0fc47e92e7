"""Imports logged models: first empty ones, so that every id is known, then their content."""

from itertools import chain, groupby

from mlflow.entities import LoggedModel, LoggedModelStatus, Metric

from mlflowops.importer import artifact_copy
from mlflowops.importer.ids import DIFFERS, SOURCE_TAG, STATE_TAG
from mlflowops.importer.source import logged_models
from mlflowops.importer.transfer import Transfer

# The server keeps this list itself, from the versions that are created.
VERSIONS_TAG = "mlflow.modelVersions"


def create(transfer: Transfer, wanted: list[LoggedModel]) -> dict[str, LoggedModel]:
    """Find or create every logged model on the server; return the server's by their id in the source."""
    existing = find_imported(transfer)

    def create_one(model: LoggedModel) -> None:
        existing[model.model_id] = transfer.target.create_logged_model(
            transfer.ids.experiments[model.experiment_id],
            model.name,
            source_run_id=transfer.ids.runs.get(model.source_run_id or ""),
            tags={**_tags(transfer, model), SOURCE_TAG: model.model_id},
            params=model.params,
            model_type=model.model_type,
        )

    transfer.for_each(
        "creating models", [each for each in wanted if each.model_id not in existing], create_one, _name
    )
    transfer.ids.models.update({source: model.model_id for source, model in existing.items()})
    return existing


def find_imported(transfer: Transfer) -> dict[str, LoggedModel]:
    """Return the logged models that earlier imports made on the server, by their id in the source."""
    models = chain.from_iterable(
        logged_models(transfer.target, experiment) for experiment in set(transfer.ids.experiments.values())
    )
    return {model.tags[SOURCE_TAG]: model for model in models if SOURCE_TAG in model.tags}


def write_content(transfer: Transfer, wanted: list[LoggedModel], existing: dict[str, LoggedModel]) -> int:
    """Write the content of models that are new or changed since the last import; return how many."""
    todo = [
        model
        for model in wanted
        if model.model_id in existing and existing[model.model_id].tags.get(STATE_TAG) != _state(model)
    ]
    transfer.for_each(
        "filling models", todo, lambda model: _write_content(transfer, model, existing[model.model_id]), _name
    )
    return len(todo)


def _write_content(transfer: Transfer, model: LoggedModel, existing: LoggedModel) -> None:
    overwrite = existing.tags.get(STATE_TAG) == DIFFERS
    complete = artifact_copy.copy_artifacts(
        transfer, _name(model), model.artifact_location, existing.artifact_location, overwrite
    )
    _metrics(transfer, model, existing.model_id)
    if model.status != LoggedModelStatus.PENDING:
        transfer.target.finalize_logged_model(existing.model_id, model.status)
    tags = {**_tags(transfer, model), STATE_TAG: _state(model) if complete else DIFFERS}
    transfer.target.set_logged_model_tags(existing.model_id, tags)


def _metrics(transfer: Transfer, model: LoggedModel, new: str) -> None:
    """A metric of a model is logged through the run that measured it."""
    measured = sorted(model.metrics or [], key=lambda each: str(each.run_id))
    for run, metrics in groupby(measured, key=lambda each: each.run_id):
        if run in transfer.ids.runs:
            transfer.target.log_batch(
                transfer.ids.runs[run], metrics=[_for_model(each, new) for each in metrics]
            )


def _for_model(metric: Metric, model: str) -> Metric:
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
    return {key: value for key, value in transfer.ids.tags(model.tags).items() if key != VERSIONS_TAG}


def _state(model: LoggedModel) -> str:
    return f"{model.status}@{model.last_updated_timestamp}"


def _name(model: LoggedModel) -> str:
    return f"model {model.model_id}"
