"""The plugin mlflow-oidc-auth, which logs people in at an OpenID provider: its settings and its app.

The chart sets the plugin's own variables. Here are those that follow from others, so that no second place
holds the database's address or a key.
"""

import hmac
import importlib.util
import os
import sys
import tempfile
import types
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

APP_NAME = "oidc-auth"
PLUGIN = "mlflow_oidc_auth"
# Beside MLflow's own table of revisions, whose name the plugin would use too.
REVISIONS = "alembic_version_oidc_auth"
KEY = "MLFLOW_FLASK_SERVER_SECRET_KEY"
CA = "MLFLOW_KUBERNETES_OIDC_CA"
# Threads of a worker for MLflow's calls, as many as launcher `upstream` has without the plugin.
THREADS = 40


def enabled() -> bool:
    """Whether people log in at an OpenID provider."""
    return os.environ.get("MLFLOW_KUBERNETES_APP_NAME") == APP_NAME


def check_plugin(part: str) -> None:
    """Exit with a message if the image lacks the plugin."""
    if importlib.util.find_spec(PLUGIN) is None:
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
    importlib.import_module(f"{PLUGIN}.db.models")
    proxy = types.MappingProxyType
    types.MappingProxyType = _Hashable  # type: ignore[assignment,misc]
    try:
        importlib.import_module(f"{PLUGIN}.permission_kinds")
    finally:
        types.MappingProxyType = proxy  # type: ignore[misc]


def prepare() -> None:
    """Check the settings of the server and complete them. Call it before MLflow is imported."""
    from mlflow_kubernetes.server import auth, sources

    check_plugin("server")
    auth.check_keys(required=(KEY,))
    sources.allowed_prefixes()
    if not os.environ.get("OIDC_CLIENT_SECRET", "").strip():
        sys.exit(
            "mlflow: server: OIDC_CLIENT_SECRET: it is empty; "
            "set the key of the Secret of auth.oidc.clientSecretFromSecret."
        )
    set_variables(os.environ)
    if ca := os.environ.get(CA):
        os.environ["SSL_CERT_FILE"] = _bundle(Path(ca))


def _bundle(ca: Path) -> str:
    """Write the authorities that are trusted anyway, and the provider's, into one file; return its path."""
    import certifi

    path = Path(tempfile.gettempdir(), "oidc-ca.pem")
    path.write_text(f"{Path(certifi.where()).read_text()}\n{ca.read_text()}")
    return str(path)


def wrap(app: Any) -> "Plugin":
    """Return the plugin's app with MLflow's security headers and CORS rules, which the plugin leaves out."""
    from mlflow.server.fastapi_security import init_fastapi_security

    init_fastapi_security(app)
    return Plugin(app)


class Plugin:
    """The plugin's ASGI app, as browsers reach it."""

    def __init__(self, app: Any) -> None:
        from asyncio import Semaphore

        self.app = app
        self.turns = Semaphore(THREADS)
        public = urlsplit(os.environ.get("OIDC_REDIRECT_URI", ""))
        self.scheme, self.host = public.scheme or "http", public.netloc.lower().encode()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a request, in a thread of its own where Flask does.

        asgiref, by which the plugin calls Flask, has one thread for all requests of a worker otherwise.
        """
        from asgiref.sync import ThreadSensitiveContext

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        async with self.turns, ThreadSensitiveContext():
            await self.app(self._as_seen(scope), receive, send)

    def _as_seen(self, scope: dict[str, Any]) -> dict[str, Any]:
        """Put the public scheme in: TLS ends before the pod, and redirects name the browser's address."""
        host = dict(scope["headers"]).get(b"host", b"").lower()
        return {**scope, "scheme": self.scheme} if host == self.host else scope
