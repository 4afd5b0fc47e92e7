"""Imports registered models: versions under their own numbers, aliases, stages."""

import re
import warnings

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from mlflowops.importer.ids import SOURCE_TAG
from mlflowops.importer.locations import ALLOW_HINT, Refused, is_plain, redacted
from mlflowops.importer.source import versions
from mlflowops.importer.transfer import Transfer

# A version may be a copy of a copy of a version.
MAX_COPIES = 10


def create(transfer: Transfer, artifact_uris: dict[str, tuple[str, str]]) -> list[RegisteredModel]:
    """Import every registered model; return those of the source.

    `artifact_uris`: where the artifacts of each run lie, in the source and on the server.
    """
    found = list(transfer.source.registered())
    transfer.for_each(
        "registered models", found, lambda model: _import_model(transfer, model, artifact_uris), _name
    )
    return found


def find_imported(transfer: Transfer, name: str) -> dict[str, ModelVersion]:
    """Return the versions that earlier imports made on the server, by their number in the source."""
    return {
        version.tags[SOURCE_TAG]: version
        for version in versions(transfer.target, name)
        if SOURCE_TAG in version.tags
    }


def _import_model(
    transfer: Transfer, model: RegisteredModel, artifact_uris: dict[str, tuple[str, str]]
) -> None:
    try:
        transfer.target.create_registered_model(model.name, transfer.ids.tags(model.tags), model.description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    existing = find_imported(transfer, model.name)
    for version in transfer.source.versions(model.name):
        number = str(version.version)
        created = existing.get(number)
        if created and int(created.version) < int(number):  # left by an interrupted import
            transfer.target.delete_model_version(model.name, str(created.version))
            created = None
        if created := created or _version(transfer, version, artifact_uris):
            existing[number] = created
            _stage(transfer, created, version.current_stage or "None")
    _aliases(transfer, model, existing)


def _version(
    transfer: Transfer, version: ModelVersion, artifact_uris: dict[str, tuple[str, str]]
) -> ModelVersion | None:
    """Create the version under its number: a lower one that the server gives first is used up and deleted.

    A higher one, where the server has versions of its own, is noted. None if its source is refused.
    """
    try:
        source, model = _new_source(transfer, version, artifact_uris)
    except Refused as refused:
        name = f"model {version.name}, version {version.version}"
        address = redacted(version.source or "")
        transfer.add_refusal(f"{name}: its source {address} is refused: {refused}; {ALLOW_HINT}.")
        return None
    while True:
        created = transfer.target.create_model_version(
            version.name,
            source,
            transfer.ids.runs.get(version.run_id or ""),
            tags={**transfer.ids.tags(version.tags), SOURCE_TAG: str(version.version)},
            run_link=version.run_link or None,
            description=version.description,
            model_id=model,
        )
        if int(created.version) >= int(version.version):
            break
        transfer.target.delete_model_version(version.name, str(created.version))
    if str(created.version) != str(version.version):
        transfer.notes.append(f"{version.name}: version {version.version} became version {created.version}")
    return created


def _new_source(
    transfer: Transfer, version: ModelVersion, artifact_uris: dict[str, tuple[str, str]]
) -> tuple[str, str | None]:
    """Return the address of a version's files on the server, and its logged model if it has one.

    The server reads it with its own credentials for every account that may read the model.

    Raises:
        Refused: It is not the address of an imported run or logged model.
    """
    version = _origin_of_copy(transfer, version)
    source = version.source or ""
    if model := transfer.ids.models.get(source.removeprefix("models:/")):
        return f"models:/{model}", model
    old, new = artifact_uris.get(version.run_id or "", ("", ""))
    if old and f"{source}/".startswith(f"{old}/") and is_plain(source):
        return new + source.removeprefix(old), None
    scheme, _, path = source.partition(":/")
    if scheme == "runs" and path.partition("/")[0] in transfer.ids.runs and is_plain(source):
        return transfer.ids.translate(source), None
    if transfer.source.locations.is_named(source):
        return source, None
    raise Refused("it is of no run or logged model of the source")


def _origin_of_copy(transfer: Transfer, version: ModelVersion) -> ModelVersion:
    """Return the version that a copy was made of; the server may have another one of that name and number."""
    for _ in range(MAX_COPIES):
        copied = re.fullmatch(r"models:/([^/]+)/(\d+)", version.source or "")
        if not copied:
            return version
        try:
            version = transfer.source.client.get_model_version(copied[1], copied[2])
        except MlflowException as error:
            raise Refused("it is a copy of a version that the source does not have") from error
    raise Refused("it is a copy of a copy without end")


def _stage(transfer: Transfer, version: ModelVersion, stage: str) -> None:
    if stage in ("None", version.current_stage):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        transfer.target.transition_model_version_stage(version.name, str(version.version), stage)


def _aliases(transfer: Transfer, model: RegisteredModel, existing: dict[str, ModelVersion]) -> None:
    """Set aliases that the server does not have. One that it has may be a newer decision: it stays."""
    taken = transfer.target.get_registered_model(model.name).aliases
    for alias, number in model.aliases.items():
        if str(number) not in existing:
            continue
        version = str(existing[str(number)].version)
        if alias not in taken:
            transfer.target.set_registered_model_alias(model.name, alias, version)
        elif str(taken[alias]) != version:
            transfer.notes.append(f"{model.name}@{alias} stays at version {taken[alias]} of the server")


def _name(model: RegisteredModel) -> str:
    return f"model {model.name}"
