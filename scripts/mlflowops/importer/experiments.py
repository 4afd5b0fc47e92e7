"""Imports experiments by name, because the server assigns its own ids."""

from mlflow.entities import Experiment, LifecycleStage

from mlflowops.errors import OpsError
from mlflowops.importer.ids import SOURCE_TAG
from mlflowops.importer.transfer import Transfer


def create(transfer: Transfer) -> list[Experiment]:
    """Find or create every experiment on the server; return those of the source."""
    found = list(transfer.source.experiments())
    for experiment in found:
        transfer.ids.experiments[experiment.experiment_id] = _import_experiment(transfer, experiment)
    return found


def _import_experiment(transfer: Transfer, experiment: Experiment) -> str:
    existing = transfer.target.get_experiment_by_name(experiment.name)
    if existing is None:
        tags = {**transfer.ids.tags(experiment.tags), SOURCE_TAG: experiment.experiment_id}
        return str(transfer.target.create_experiment(experiment.name, tags=tags))
    if existing.lifecycle_stage == LifecycleStage.DELETED:
        ours = existing.tags.get(SOURCE_TAG) == experiment.experiment_id
        if not ours or experiment.lifecycle_stage != LifecycleStage.DELETED:
            instead = (
                f"restore it with `mlflow experiments restore -x {existing.experiment_id}` or `mlflow gc` it"
            )
            raise OpsError(f"experiment {experiment.name}", "is deleted on the server", instead)
        # An earlier import deleted it, as the source did: to take runs it must be back for a while.
        transfer.target.restore_experiment(existing.experiment_id)
    for key, value in transfer.ids.tags(experiment.tags).items():
        if key not in existing.tags:
            transfer.target.set_experiment_tag(existing.experiment_id, key, value)
    return str(existing.experiment_id)


def delete(transfer: Transfer, experiments: list[Experiment]) -> None:
    """Delete on the server what is deleted in the source; the last step, since these take no runs."""
    for experiment in experiments:
        if experiment.lifecycle_stage == LifecycleStage.DELETED:
            transfer.target.delete_experiment(transfer.ids.experiments[experiment.experiment_id])
