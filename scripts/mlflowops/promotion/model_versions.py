"""Reads and changes the model registry for a promotion."""

import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlflow.exceptions import MlflowException

from mlflowops.errors import OpsError
from mlflowops.promotion.gate import Metrics
from mlflowops.promotion.lock import Lease
from mlflowops.promotion.policy import Policy

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

PROMOTED, PREVIOUS = "mlflowops.promoted_at", "mlflowops.previous_champion"
ARCHIVED, REPLACED_BY = "mlflowops.archived_at", "mlflowops.replaced_by"


def candidate(client: "MlflowClient", model: str, version: str | None) -> "ModelVersion":
    """Return the version asked for, else the newest one; it must be ready."""
    if version:
        found = client.get_model_version(model, version)
    else:
        client.get_registered_model(model)  # says so when there is none
        newest = client.search_model_versions(
            f"name = '{model}'", max_results=1, order_by=["version_number DESC"]
        )
        if not newest:
            raise OpsError(f"model {model}", "has no version", "log a model with registered_model_name first")
        found = newest[0]
    if found.status != "READY":
        wrong = f"is {found.status}"
        raise OpsError(f"model {model} version {found.version}", wrong, "register it again", exit_code=1)
    return found


def champion(client: "MlflowClient", model: str, alias: str) -> "ModelVersion | None":
    """Return the version that has the alias now."""
    version = client.get_registered_model(model).aliases.get(alias)
    return client.get_model_version(model, str(version)) if version is not None else None


def metrics(client: "MlflowClient", version: "ModelVersion") -> Metrics:
    """Return the metrics of the version's run; those logged to the model itself win."""
    found: Metrics = {}
    if version.run_id:
        found.update(client.get_run(version.run_id).data.metrics)
    # The registry's API does not return the logged model; its address is the version's source.
    source = version.source or ""
    if source.startswith("models:/m-"):
        logged = client.get_logged_model(source.removeprefix("models:/")).metrics or []
        found.update({each.key: each.value for each in sorted(logged, key=lambda each: each.timestamp)})
    return found


def set_champion(
    client: "MlflowClient", policy: Policy, winner: "ModelVersion", previous: str | None, lease: Lease
) -> bool:
    """Set the champion and archive the previous one; return whether the server has stages.

    Each step can be repeated: after a crash in the middle, promoting the same version again ends the work.
    """
    model, version = winner.name, str(winner.version)
    if previous:
        client.set_model_version_tag(model, version, PREVIOUS, previous)
    client.set_model_version_tag(model, version, PROMOTED, _now())
    lease.check()
    client.set_registered_model_alias(model, policy.alias, version)
    for tag in {ARCHIVED, REPLACED_BY} & set(winner.tags):
        client.delete_model_version_tag(model, version, tag)
    staged = policy.stage != "none" and _set_stage(client, model, version, policy.stage)
    if previous:
        client.set_model_version_tag(model, previous, ARCHIVED, _now())
        client.set_model_version_tag(model, previous, REPLACED_BY, version)
        if staged:
            _set_stage(client, model, previous, "Archived")
    _verify_alias(client, policy.alias, winner)
    return staged


def _verify_alias(client: "MlflowClient", alias: str, winner: "ModelVersion") -> None:
    now = client.get_registered_model(winner.name).aliases.get(alias)
    if str(now) != str(winner.version):
        wrong = f"{alias} was moved to version {now} meanwhile, by hand or by another tool"
        raise OpsError(f"promote {winner.name}", wrong, "promote through this command only", exit_code=1)


def _set_stage(client: "MlflowClient", model: str, version: str, stage: str) -> bool:
    """Set the stage; return False if the server has no stages."""
    change = getattr(client, "transition_model_version_stage", None)
    if change is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            change(model, version, stage, archive_existing_versions=stage != "Archived")
    except MlflowException as error:
        if (
            error.error_code in ("ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED")
            or error.get_http_status_code() == 404
        ):
            return False
        raise
    return True


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
