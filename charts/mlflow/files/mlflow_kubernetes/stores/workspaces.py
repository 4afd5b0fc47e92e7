"""Workspaces of MLflow: whether they are on, and where the artifacts of one are."""

from collections.abc import Mapping

DEFAULT = "default"
# The migration of MLflow that added them.
REVISION = "1b5f0d9ad7c1"
# MLflow does not start without workspaces where another one has any of these.
OTHER_WORKSPACE = """
    SELECT workspace FROM experiments WHERE workspace <> 'default'
    UNION ALL SELECT workspace FROM registered_models WHERE workspace <> 'default'
    UNION ALL SELECT workspace FROM webhooks WHERE workspace <> 'default'
    LIMIT 1"""


def is_enabled(env: Mapping[str, str]) -> bool:
    """Whether experiments, models and artifacts are separated by workspaces."""
    return env.get("MLFLOW_ENABLE_WORKSPACES", "").lower() in ("true", "1")


def folder_of(workspace: str | None) -> str:
    """Return the folder of a workspace below the artifact root, as MLflow's server looks it up.

    Args:
        workspace: name of the workspace. MLflow also finds those of `default` in the artifact root itself.

    Returns:
        A path that ends with a slash, or an empty string.
    """
    return f"workspaces/{workspace}/" if workspace and workspace != DEFAULT else ""
