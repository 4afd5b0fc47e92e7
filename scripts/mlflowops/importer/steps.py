"""Runs the steps of an import in order: an object follows those it refers to."""

from mlflow.entities import LifecycleStage

from mlflowops.importer import experiments, models, registered_models, runs, verify
from mlflowops.importer.transfer import Transfer


def import_all(transfer: Transfer) -> dict[str, list[int]]:
    """Import and verify all of it; return by kind how many the source has and how many are verified."""
    found = experiments.create(transfer)
    wanted = [each for experiment in found for each in transfer.source.runs(experiment.experiment_id)]
    logged = [each for experiment in found for each in transfer.source.models(experiment.experiment_id)]
    existing = runs.create(transfer, wanted)
    models_on_server = models.create(transfer, logged)
    transfer.written["models"] = models.write_content(transfer, logged, models_on_server)
    transfer.written["runs"] = runs.write_content(transfer, wanted, existing)
    addresses = {
        each.info.run_id: (each.info.artifact_uri, existing[each.info.run_id].info.artifact_uri)
        for each in wanted
        if each.info.run_id in existing
    }
    registered = registered_models.create(transfer, addresses)
    deleted = {each.experiment_id for each in found if each.lifecycle_stage == LifecycleStage.DELETED}
    runs.delete(transfer, wanted, deleted)
    experiments.delete(transfer, found)
    _note_unsupported(transfer, [each.experiment_id for each in found])
    return verify.compare(transfer, found, wanted, logged, registered).counts


def _note_unsupported(transfer: Transfer, experiments: list[str]) -> None:
    source = transfer.source.client
    if source.search_traces(locations=experiments, max_results=1, include_spans=False):
        transfer.notes.append("the source holds traces; they are not imported")
    if source.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'true'", max_results=1):
        transfer.notes.append("the source holds prompts; they are not imported")
