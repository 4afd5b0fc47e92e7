"""Imports experiments: by name, since the server gives its own ids."""

from mlflow.entities import Experiment, LifecycleStage

from mlflowops.errors import OpsError
from mlflowops.importer.ids import SOURCE
from mlflowops.importer.transfer import Transfer


def make(transfer: Transfer) -> list[Experiment]:
    """Find or create every experiment on the server; return those of the source."""
    found = list(transfer.source.experiments())
    for experiment in found:
        transfer.ids.experiments[experiment.experiment_id] = _one(transfer, experiment)
    return found


def _one(transfer: Transfer, experiment: Experiment) -> str:
    there = transfer.target.get_experiment_by_name(experiment.name)
    if there is None:
        tags = {**transfer.ids.tags(experiment.tags), SOURCE: experiment.experiment_id}
        return str(transfer.target.create_experiment(experiment.name, tags=tags))
    if there.lifecycle_stage == LifecycleStage.DELETED:
        ours = there.tags.get(SOURCE) == experiment.experiment_id
        if not ours or experiment.lifecycle_stage != LifecycleStage.DELETED:
            instead = (
                f"restore it with `mlflow experiments restore -x {there.experiment_id}` or `mlflow gc` it"
            )
            raise OpsError(f"experiment {experiment.name}", "is deleted on the server", instead)
        # An earlier import deleted it, as the source did: to take runs it must be back for a while.
        transfer.target.restore_experiment(there.experiment_id)
    for key, value in transfer.ids.tags(experiment.tags).items():
        if key not in there.tags:
            transfer.target.set_experiment_tag(there.experiment_id, key, value)
    return str(there.experiment_id)


def delete(transfer: Transfer, experiments: list[Experiment]) -> None:
    """Delete on the server what is deleted in the source; the last step, since nothing can be added after."""
    for experiment in experiments:
        if experiment.lifecycle_stage == LifecycleStage.DELETED:
            transfer.target.delete_experiment(transfer.ids.experiments[experiment.experiment_id])
