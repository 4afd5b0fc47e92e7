"""The source of an import: a file store, a SQLite file or another tracking server."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from mlflow import MlflowClient
from mlflow.entities import Experiment, LoggedModel, Run, ViewType
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from mlflowops import console, tracking
from mlflowops.errors import OpsError
from mlflowops.importer import snapshot
from mlflowops.importer.locations import AllowedLocations


@dataclass(frozen=True)
class Source:
    """A source, and the locations of its artifacts."""

    name: str
    client: MlflowClient
    locations: AllowedLocations

    def experiments(self) -> Iterator[Experiment]:
        """Yield all experiments, deleted ones too."""
        yield from all_pages(
            lambda token: self.client.search_experiments(view_type=ViewType.ALL, page_token=token)
        )

    def runs(self, experiment: str) -> Iterator[Run]:
        """Yield all runs of an experiment, deleted ones too."""
        yield from runs(self.client, experiment)

    def models(self, experiment: str) -> Iterator[LoggedModel]:
        """Yield the logged models of an experiment."""
        yield from logged_models(self.client, experiment)

    def registered(self) -> Iterator[RegisteredModel]:
        """Yield the registered models."""
        yield from all_pages(lambda token: self.client.search_registered_models(page_token=token))

    def versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a registered model, oldest first."""
        return versions(self.client, name)


def all_pages(search: Callable[[Any], Any]) -> Iterator[Any]:
    """Follow the pages of one of MLflow's searches."""
    token = None
    while True:
        page = search(token)
        yield from page
        token = page.token
        if not token:
            return


def runs(client: MlflowClient, experiment: str, filter_: str = "") -> Iterator[Run]:
    """Yield all runs of an experiment, deleted ones too, oldest first."""
    order = ["attributes.start_time ASC"]
    yield from all_pages(
        lambda token: client.search_runs(
            [experiment], filter_, ViewType.ALL, order_by=order, page_token=token
        )
    )


def logged_models(client: MlflowClient, experiment: str) -> Iterator[LoggedModel]:
    """Yield all logged models of an experiment."""
    yield from all_pages(lambda token: client.search_logged_models([experiment], page_token=token))


def versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of a registered model, oldest first."""
    found = all_pages(lambda token: client.search_model_versions(f"name = '{name}'", page_token=token))
    return sorted(found, key=lambda version: int(version.version))


@contextmanager
def open_source(name: str, artifacts: Sequence[str]) -> Iterator[Source]:
    """Open SOURCE of the command line. Files are read through a snapshot that lives as long as this.

    Args:
        name: File store, SQLite file or address of a server.
        artifacts: Folders and addresses of `--artifacts`.
    """
    if name.startswith(("http://", "https://")):
        source = Source(
            name, tracking.client_for(name, f"SOURCE {name}"), AllowedLocations((), artifacts, server=name)
        )
        _check_login(source)
        yield source
        return
    path, scheme = resolve_path(name)
    locations = local_locations(path, scheme, artifacts)
    with tempfile.TemporaryDirectory(prefix="mlflowops-import-") as temp:
        with console.step(f"taking a snapshot of {path}"):
            if scheme == "sqlite":
                uri = snapshot.snapshot_sqlite(path, Path(temp))
            else:
                uri = snapshot.snapshot_file_store(path, Path(temp), locations)
        source = Source(name, tracking.client_for(uri, name), locations)
        _check_artifacts(source)
        yield source


def local_locations(path: Path, scheme: str, artifacts: Sequence[str]) -> AllowedLocations:
    """A file store holds its artifacts; beside mlflow.db MLflow puts them into ./mlruns or ./mlartifacts.

    A home folder holds more than a SQLite file and its artifacts: there only those two are the source's own.
    """
    base = Path(os.path.realpath(path if scheme == "file" else path.parent))
    own = [base]
    if scheme == "sqlite" and Path(os.path.realpath(Path.home())).is_relative_to(base):
        own = [base / "mlruns", base / "mlartifacts"]
    near = base if scheme == "file" else base / "mlartifacts"
    return AllowedLocations(own, artifacts, moved=[near] if near.is_dir() else [], base=base)


def resolve_path(name: str) -> tuple[Path, str]:
    """Return the file or folder that SOURCE means, and what it is."""
    url = urlparse(name)
    if url.scheme not in ("", "file", "sqlite"):
        instead = "run `mlflow server` over it and give that address"
        raise OpsError(f"SOURCE {name}", "not a file store, SQLite file or http(s) address", instead)
    path = Path(name.removeprefix("sqlite:///") if url.scheme == "sqlite" else unquote(url.path)).absolute()
    if path.is_file():
        return path, "sqlite"
    if url.scheme != "sqlite":
        for folder in (path / "mlruns", path):
            if folder.is_dir() and any(
                each.name.isdigit() or each.name == "models" for each in folder.iterdir()
            ):
                return _check_link(folder, path), "file"
    wrong = "holds no experiments" if path.is_dir() else "no such file or folder"
    raise OpsError(f"SOURCE {name}", wrong, "give ./mlruns, sqlite:///mlflow.db or http://host:5000")


def _check_link(mlruns: Path, given: Path) -> Path:
    """The caller named `given`; its author chose what its mlruns links to."""
    real = os.path.realpath(mlruns)
    if not Path(real).is_relative_to(os.path.realpath(given)):
        raise OpsError(str(mlruns), f"is a link to {real}", "give that folder as SOURCE if you trust it")
    return mlruns


def _check_login(source: Source) -> None:
    try:
        source.client.search_experiments(max_results=1)
    except MlflowException as error:
        if error.error_code != "UNAUTHENTICATED":
            raise
        instead = "set MLFLOWOPS_SOURCE_USERNAME and MLFLOWOPS_SOURCE_PASSWORD, or MLFLOWOPS_SOURCE_TOKEN"
        raise OpsError(f"SOURCE {source.name}", "asks for a login", instead) from error


def _check_artifacts(source: Source) -> None:
    """A database written by a server knows artifacts by an address that only this server understands."""
    by_server = any(
        (each.artifact_location or "").startswith("mlflow-artifacts:") for each in source.experiments()
    )
    if by_server and not source.locations.moved:
        instead = "give its folder with --artifacts ./mlartifacts, or run it and give its address as SOURCE"
        raise OpsError(f"SOURCE {source.name}", "a server stored its artifacts", instead)
