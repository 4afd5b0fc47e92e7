"""The schemas that MLflow may want in a database: runs and models, and the accounts of basic-auth."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow_kubernetes.log.setup import format_handlers
from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.server.deferred import deferred_imports
from mlflow_kubernetes.tested import TESTED


@dataclass(frozen=True)
class Schema:
    """One schema, with a table of revisions of its own."""

    what: str
    table: str
    revisions: Revisions
    upgrade: Callable[[str], None]


def required_schemas(env: Mapping[str, str]) -> list[Schema]:
    """What a server with this environment needs."""
    found = [Schema("the database", "alembic_version", Revisions.installed(), _upgrade_runs)]
    if env.get("MLFLOW_KUBERNETES_APP_NAME") == "basic-auth":
        revisions = Revisions.installed("server/auth/db/migrations")
        found.append(Schema("the accounts' schema", "alembic_version_auth", revisions, _upgrade_accounts))
    return found


def _upgrade_runs(uri: str) -> None:
    """`mlflow db upgrade`, which also fills an empty database."""
    with _quick_imports():
        import mlflow.db

    format_handlers()
    mlflow.db.upgrade.main([uri], standalone_mode=False)


def _upgrade_accounts(uri: str) -> None:
    """`python -m mlflow.server.auth db upgrade`."""
    with _quick_imports():
        from mlflow.server.auth.db import cli

    format_handlers()
    cli.upgrade.main(["--url", uri], standalone_mode=False)


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Import without pandas and the like, and let no collection of garbage look at what is imported.

    Neither during the imports nor at the exit, which together take half of the time otherwise.
    """
    gc.disable()
    try:
        with deferred_imports(TESTED):
            yield
        gc.freeze()
    finally:
        gc.enable()
