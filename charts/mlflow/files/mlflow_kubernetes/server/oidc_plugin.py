"""The plugin mlflow-oidc-auth, by which people log in at an OpenID provider: its names and its variables.

The chart sets the plugin's own variables. Here are those that follow from others, so that no second place
holds the database's address or a key.
"""

import hmac
import importlib.util
import os
import sys
import types
from collections.abc import MutableMapping
from typing import Any

APP_NAME = "oidc-auth"
PACKAGE = "mlflow_oidc_auth"
# Beside MLflow's own table of revisions, whose name the plugin would use too.
REVISIONS = "alembic_version_oidc_auth"
KEY = "MLFLOW_FLASK_SERVER_SECRET_KEY"


def enabled() -> bool:
    """Whether people log in at an OpenID provider."""
    return os.environ.get("MLFLOW_KUBERNETES_APP_NAME") == APP_NAME


def check_plugin(part: str) -> None:
    """Exit with a message if the image lacks the plugin."""
    if importlib.util.find_spec(PACKAGE) is None:
        sys.exit(
            f"mlflow: {part}: auth.mode: oidc needs the package mlflow-oidc-auth, which the image lacks; "
            "add it as docs/identity.md shows, and set image."
        )


def set_variables(env: MutableMapping[str, str]) -> None:
    """Set the variables of the plugin that follow from others. Call it before the plugin is imported."""
    env["OIDC_USERS_DB_URI"] = env["MLFLOW_BACKEND_STORE_URI"]  # beside the runs: one backup holds both
    env["OIDC_ALEMBIC_VERSION_TABLE"] = REVISIONS
    env["CONFIG_PROVIDERS"] = "env"
    if key := env.get(KEY):
        env["SECRET_KEY"] = hmac.digest(key.encode(), APP_NAME.encode(), "sha256").hex()


class _Hashable(dict[str, Any]):
    """Stands in for a read-only mapping, which has no hash before Python 3.12."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def import_kinds() -> None:
    """Import the one module of the plugin that Python 3.11 refuses: such a mapping is a default of a class.

    Call it before any other import of the plugin.
    """
    if sys.version_info >= (3, 12):
        return
    importlib.import_module(f"{PACKAGE}.db.models")
    proxy = types.MappingProxyType
    types.MappingProxyType = _Hashable  # type: ignore[assignment,misc]
    try:
        importlib.import_module(f"{PACKAGE}.permission_kinds")
    finally:
        types.MappingProxyType = proxy  # type: ignore[misc]
