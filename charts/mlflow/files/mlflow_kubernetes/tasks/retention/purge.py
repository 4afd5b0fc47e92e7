"""Remove permanently what was deleted: artifacts from the store itself, then the rows, by MLflow's own code.

`mlflow gc` would ask the server for the artifacts, would remove what registered models use, and given one run
removes other deleted experiments too. Only its last step is used: the one that removes a run or a model.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow_kubernetes.tasks.retention.candidates import Candidates


class Purge:
    """Counts what it removed and what it could not."""

    def __init__(self, store: Any, candidates: Candidates, destination: str) -> None:
        self.store = store
        self.candidates = candidates
        self.destination = destination
        self.runs = 0
        self.models = 0

    def run(self, run: str, artifacts: str) -> None:
        """Remove a run with its logged models, unless one was registered after the run was chosen."""
        models = self.candidates.deleted_models(run)
        if self.candidates.is_registered(run, *(model for model, _ in models)):
            return
        for model, location in models:
            self.model(model, location)
        self.artifacts(run, artifacts)
        self.store._hard_delete_run(run)
        self.runs += 1

    def model(self, model: str, location: str) -> None:
        """Remove a logged model."""
        self.artifacts(model, location)
        self.store._hard_delete_logged_model(model)
        self.models += 1

    def artifacts(self, owner: str, address: str) -> None:
        """Remove the artifacts of a run, a logged model or a trace."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        where = storage_uri(address, self.destination)
        if not is_folder_of(owner, where):
            raise ValueError(f"{where} is not a folder of {owner} alone")
        get_artifact_repository(where).delete_artifacts()


def is_folder_of(owner: str, address: str) -> bool:
    """Whether the path names its owner, a run or a logged model, and no step upwards in any spelling."""
    path = urlsplit(address).path
    named = owner in path.split("/")
    while (decoded := unquote(path)) != path:
        path = decoded
    return named and ".." not in path.replace("\\", "/").split("/")


def storage_uri(address: str, destination: str) -> str:
    """Where artifacts are that the server hands out: below its destination. Others are where they say."""
    parts = urlsplit(address)
    if parts.scheme != "mlflow-artifacts":
        return address
    return f"{destination.rstrip('/')}/{parts.path.lstrip('/')}"
