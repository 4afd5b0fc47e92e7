"""The schemas that MLflow may want in a database: runs and models, and the accounts of a login."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow_kubernetes.log.setup import format_handlers
from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.server import kubernetes_plugin, oidc_plugin
from mlflow_kubernetes.server.deferred import deferred_imports
from mlflow_kubernetes.tested import TESTED

BASIC = "alembic_version_auth"


@dataclass(frozen=True)
class Schema:
    """One schema, with a table of revisions of its own."""

    what: str
    table: str
    revisions: Revisions
    upgrade: Callable[[str], None]
    rival: str = ""
    """The table of revisions of a schema whose tables have the same names."""


def required_schemas(env: Mapping[str, str]) -> list[Schema]:
    """What a server with this environment needs."""
    found = [Schema("the database", "alembic_version", Revisions.installed(), _upgrade_runs)]
    app, what = env.get("MLFLOW_KUBERNETES_APP_NAME"), "the accounts' schema"
    if app == "basic-auth":
        revisions = Revisions.installed("server/auth/db/migrations")
        found.append(Schema(what, BASIC, revisions, _upgrade_accounts, rival=oidc_plugin.REVISIONS))
    elif app == oidc_plugin.APP_NAME:
        oidc_plugin.check_plugin("schema")
        revisions = Revisions.installed("db/migrations", oidc_plugin.PACKAGE)
        found.append(Schema(what, oidc_plugin.REVISIONS, revisions, _upgrade_oidc, rival=BASIC))
    elif app == kubernetes_plugin.APP_NAME:  # it keeps nothing in the database
        kubernetes_plugin.check_plugin("schema")
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


def _upgrade_oidc(uri: str) -> None:
    """The plugin's own upgrade, which also fills an empty database."""
    from mlflow_oidc_auth.db import cli

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
