"""Programs that remove rows permanently do not touch the database of another release."""

from collections.abc import Mapping

from mlflow_kubernetes.stores.database import PostgreSQL
from mlflow_kubernetes.stores.owner import other_owner, this_release
from mlflow_kubernetes.tasks.task import TaskError


def check_owner(database: PostgreSQL, env: Mapping[str, str]) -> None:
    """Raise TaskError if the database belongs to another release than that of the environment."""
    if owner := other_owner(database, env):
        raise TaskError(
            f"the database belongs to {owner}, and this is {this_release(env)}; set backendStore.postgres to "
            "a database of its own, or take this one over (docs/databases.md#one-release)."
        )
