"""The order of an import: nothing may refer to what is not there yet."""

from mlflow.entities import LifecycleStage

from mlflowops.importer import experiments, models, registry, runs, verify
from mlflowops.importer.transfer import Transfer


def run(transfer: Transfer) -> dict[str, list[int]]:
    """Import and verify all of it; return by kind how many the source has and how many are verified."""
    found = experiments.make(transfer)
    wanted = [each for experiment in found for each in transfer.source.runs(experiment.experiment_id)]
    logged = [each for experiment in found for each in transfer.source.models(experiment.experiment_id)]
    there = runs.make(transfer, wanted)
    made = models.make(transfer, logged)
    transfer.written["models"] = models.fill(transfer, logged, made)
    transfer.written["runs"] = runs.fill(transfer, wanted, there)
    addresses = {
        each.info.run_id: (each.info.artifact_uri, there[each.info.run_id].info.artifact_uri)
        for each in wanted
        if each.info.run_id in there
    }
    registered = registry.make(transfer, addresses)
    gone = {each.experiment_id for each in found if each.lifecycle_stage == LifecycleStage.DELETED}
    runs.delete(transfer, wanted, gone)
    experiments.delete(transfer, found)
    _note_what_stays(transfer, [each.experiment_id for each in found])
    return verify.check(transfer, found, wanted, logged, registered).counts


def _note_what_stays(transfer: Transfer, experiments: list[str]) -> None:
    source = transfer.source.client
    if source.search_traces(locations=experiments, max_results=1, include_spans=False):
        transfer.notes.append("the source holds traces; they are not imported")
    if source.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'true'", max_results=1):
        transfer.notes.append("the source holds prompts; they are not imported")
