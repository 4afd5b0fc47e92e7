"""Where an import comes from: a file store, a SQLite file or another tracking server."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from mlflow import MlflowClient
from mlflow.entities import Experiment, LoggedModel, Run, ViewType
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from mlflowops import console, tracking
from mlflowops.errors import OpsError
from mlflowops.importer import snapshot


@dataclass(frozen=True)
class Source:
    """An MLflow to read from. `folder` is where artifacts lie if their recorded place does not exist."""

    name: str
    client: MlflowClient
    folder: Path | None = None

    def experiments(self) -> Iterator[Experiment]:
        """Yield all experiments, deleted ones too."""
        yield from pages(
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
        yield from pages(lambda token: self.client.search_registered_models(page_token=token))

    def versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a registered model, oldest first."""
        return versions(self.client, name)

    def artifacts(self, address: str) -> ArtifactRepository:
        """Open the artifacts of a run or logged model by their recorded address."""
        local = self._local(address)
        return get_artifact_repository(
            str(local) if local else address, tracking_uri=self.client.tracking_uri
        )

    def _local(self, address: str) -> Path | None:
        """Return the folder of an address on this machine; None if it is elsewhere."""
        url = urlparse(address)
        by_server = url.scheme == "mlflow-artifacts"
        if url.scheme not in ("", "file", "mlflow-artifacts") or (by_server and self._is_server):
            return None
        recorded = Path(unquote(url.path))
        if self.folder is None or (recorded.is_dir() and not by_server):
            return recorded
        # .../<experiment>/<run>/artifacts, or .../<experiment>/models/<model>/artifacts
        tail = recorded.parts[-4:] if "models" in recorded.parts[-3:] else recorded.parts[-3:]
        deleted = self.folder.joinpath(".trash", *tail)
        return deleted if deleted.is_dir() else self.folder.joinpath(*tail)

    @property
    def _is_server(self) -> bool:
        return self.client.tracking_uri.startswith("http")


def pages(search: Callable[[Any], Any]) -> Iterator[Any]:
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
    yield from pages(
        lambda token: client.search_runs(
            [experiment], filter_, ViewType.ALL, order_by=order, page_token=token
        )
    )


def logged_models(client: MlflowClient, experiment: str) -> Iterator[LoggedModel]:
    """Yield all logged models of an experiment."""
    yield from pages(lambda token: client.search_logged_models([experiment], page_token=token))


def versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of a registered model, oldest first."""
    found = pages(lambda token: client.search_model_versions(f"name = '{name}'", page_token=token))
    return sorted(found, key=lambda version: int(version.version))


@contextmanager
def opened(name: str, folder: Path | None) -> Iterator[Source]:
    """Open SOURCE of the command line. Files are read through a snapshot that lives as long as this."""
    if name.startswith(("http://", "https://")):
        yield Source(name, tracking.client_of(name, f"SOURCE {name}"))
        return
    path, scheme = _path(name)
    with tempfile.TemporaryDirectory(prefix="mlflowops-import-") as temp:
        with console.step(f"taking a snapshot of {path}"):
            read = snapshot.of_sqlite if scheme == "sqlite" else snapshot.of_file_store
            uri = read(path, Path(temp))
        source = Source(name, tracking.client_of(uri, name), folder or _artifacts_near(path, scheme))
        _check_artifacts(source)
        yield source


def _path(name: str) -> tuple[Path, str]:
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
                return folder, "file"
    wrong = "holds no experiments" if path.is_dir() else "no such file or folder"
    raise OpsError(f"SOURCE {name}", wrong, "give ./mlruns, sqlite:///mlflow.db or http://host:5000")


def _artifacts_near(path: Path, scheme: str) -> Path | None:
    """A file store holds its artifacts; beside mlflow.db `mlflow server` puts them into ./mlartifacts."""
    near = path if scheme == "file" else path.parent / "mlartifacts"
    return near if near.is_dir() else None


def _check_artifacts(source: Source) -> None:
    """A database written by a server knows artifacts by an address that only this server understands."""
    by_server = any(each.artifact_location.startswith("mlflow-artifacts:") for each in source.experiments())
    if by_server and source.folder is None:
        instead = "give its folder with --artifacts ./mlartifacts, or run it and give its address as SOURCE"
        raise OpsError(f"SOURCE {source.name}", "a server stored its artifacts", instead)
