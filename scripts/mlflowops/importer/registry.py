"""Imports registered models: versions under their own numbers, aliases, stages."""

import re
import warnings

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from mlflowops.importer.ids import SOURCE
from mlflowops.importer.places import INSTEAD, Refused, is_plain, shown
from mlflowops.importer.source import versions
from mlflowops.importer.transfer import Transfer

# A version may be a copy of a copy of a version.
COPIES = 10


def make(transfer: Transfer, artifact_uris: dict[str, tuple[str, str]]) -> list[RegisteredModel]:
    """Import every registered model; return those of the source.

    `artifact_uris`: where the artifacts of each run lie, in the source and on the server.
    """
    found = list(transfer.source.registered())
    transfer.each("registered models", found, lambda model: _one(transfer, model, artifact_uris), _name)
    return found


def present(transfer: Transfer, name: str) -> dict[str, ModelVersion]:
    """Return the versions that earlier imports made on the server, by their number in the source."""
    return {
        version.tags[SOURCE]: version for version in versions(transfer.target, name) if SOURCE in version.tags
    }


def _one(transfer: Transfer, model: RegisteredModel, artifact_uris: dict[str, tuple[str, str]]) -> None:
    try:
        transfer.target.create_registered_model(model.name, transfer.ids.tags(model.tags), model.description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    there = present(transfer, model.name)
    for version in transfer.source.versions(model.name):
        number = str(version.version)
        made = there.get(number)
        if made and int(made.version) < int(number):  # an import was interrupted before it deleted this one
            transfer.target.delete_model_version(model.name, str(made.version))
            made = None
        if made := made or _version(transfer, version, artifact_uris):
            there[number] = made
            _stage(transfer, made, version.current_stage or "None")
    _aliases(transfer, model, there)


def _version(
    transfer: Transfer, version: ModelVersion, artifact_uris: dict[str, tuple[str, str]]
) -> ModelVersion | None:
    """Create the version under its number: a lower one that the server gives first is used up and deleted.

    The server may give a higher one, if it has versions of its own; that is noted. None if its source is
    refused.
    """
    try:
        source, model = _moved(transfer, version, artifact_uris)
    except Refused as refused:
        name = f"model {version.name}, version {version.version}"
        transfer.refuse(f"{name}: its source {shown(version.source or '')} is refused: {refused}; {INSTEAD}.")
        return None
    while True:
        made = transfer.target.create_model_version(
            version.name,
            source,
            transfer.ids.runs.get(version.run_id or ""),
            tags={**transfer.ids.tags(version.tags), SOURCE: str(version.version)},
            run_link=version.run_link or None,
            description=version.description,
            model_id=model,
        )
        if int(made.version) >= int(version.version):
            break
        transfer.target.delete_model_version(version.name, str(made.version))
    if str(made.version) != str(version.version):
        transfer.notes.append(f"{version.name}: version {version.version} became version {made.version}")
    return made


def _moved(
    transfer: Transfer, version: ModelVersion, artifact_uris: dict[str, tuple[str, str]]
) -> tuple[str, str | None]:
    """Return the address of a version's files on the server, and its logged model if it has one.

    The server reads it with its own credentials for every account that may read the model.

    Raises:
        Refused: It is not the address of an imported run or logged model.
    """
    version = _original(transfer, version)
    source = version.source or ""
    if model := transfer.ids.models.get(source.removeprefix("models:/")):
        return f"models:/{model}", model
    old, new = artifact_uris.get(version.run_id or "", ("", ""))
    if old and f"{source}/".startswith(f"{old}/") and is_plain(source):
        return new + source.removeprefix(old), None
    scheme, _, path = source.partition(":/")
    if scheme == "runs" and path.partition("/")[0] in transfer.ids.runs and is_plain(source):
        return transfer.ids.translate(source), None
    if transfer.source.places.names(source):
        return source, None
    raise Refused("it is of no run or logged model of the source")


def _original(transfer: Transfer, version: ModelVersion) -> ModelVersion:
    """Return the version that a copy was made of; the server may have another one of that name and number."""
    for _ in range(COPIES):
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


def _aliases(transfer: Transfer, model: RegisteredModel, there: dict[str, ModelVersion]) -> None:
    """Set aliases that the server does not have. One that it has may be a newer decision: it stays."""
    taken = transfer.target.get_registered_model(model.name).aliases
    for alias, number in model.aliases.items():
        if str(number) not in there:
            continue
        version = str(there[str(number)].version)
        if alias not in taken:
            transfer.target.set_registered_model_alias(model.name, alias, version)
        elif str(taken[alias]) != version:
            transfer.notes.append(f"{model.name}@{alias} stays at version {taken[alias]} of the server")


def _name(model: RegisteredModel) -> str:
    return f"model {model.name}"
