"""Which paths of artifacts the server takes, before MLflow looks up the workspace and the store.

MLflow compares the beginning of a path with `workspaces/`, and a file system reads `./workspaces` as the same
folder. So a path has to be as MLflow's own clients write it.
"""

from functools import wraps
from typing import Any


def install() -> None:
    """Check each path before MLflow puts its workspace before it. Call it before the fork."""
    from mlflow.server import handlers

    scope = getattr(handlers, "_get_workspace_scoped_repo_path_if_enabled", None)
    if scope is None:  # MLflow before 3.10
        return

    @wraps(scope)
    def scoped(artifact_path: str | None, *more: Any) -> Any:
        if artifact_path and not is_plain(artifact_path):
            from mlflow.exceptions import MlflowException

            raise MlflowException.invalid_parameter_value(
                "Invalid path: use folders without '.', and below 'workspaces' that of the workspace."
            )
        return scope(artifact_path, *more)

    handlers._get_workspace_scoped_repo_path_if_enabled = scoped


def is_plain(path: str) -> bool:
    """Return whether a path, relative to the artifact root, means the same to MLflow and to each store.

    `workspaces` alone is the folder of all workspaces, which no one may list or delete.
    """
    folders = path.strip("/").split("/")
    return "." not in folders and folders != ["workspaces"] and not path.startswith("//")
