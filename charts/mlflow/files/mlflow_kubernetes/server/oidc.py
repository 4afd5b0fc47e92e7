"""The app of the plugin mlflow-oidc-auth, under launcher `upstream`."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow_kubernetes.server import auth, oidc_plugin, sources
from mlflow_kubernetes.server.oidc_permissions import is_ambiguous

CA = "MLFLOW_KUBERNETES_OIDC_CA"
# Threads of a worker for MLflow's calls, as many as launcher `upstream` has without the plugin.
THREADS = 40


def prepare() -> None:
    """Check the settings of the server and complete them. Call it before MLflow is imported."""
    oidc_plugin.check_plugin("server")
    auth.check_keys(required=(oidc_plugin.KEY,))
    sources.allowed_prefixes()
    if not os.environ.get("OIDC_CLIENT_SECRET", "").strip():
        sys.exit(
            "mlflow: server: OIDC_CLIENT_SECRET: it is empty; "
            "set the key of the Secret of auth.oidc.clientSecretFromSecret."
        )
    oidc_plugin.set_variables(os.environ)
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
        from starlette.responses import PlainTextResponse

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if is_ambiguous(scope):
            refusal = PlainTextResponse("The path names the scorer; leave it out of the query.", 400)
            await refusal(scope, receive, send)
            return
        async with self.turns, ThreadSensitiveContext():
            await self.app(self._as_seen(scope), receive, send)

    def _as_seen(self, scope: dict[str, Any]) -> dict[str, Any]:
        """Put the public scheme in: TLS ends before the pod, and redirects name the browser's address."""
        host = dict(scope["headers"]).get(b"host", b"").lower()
        return {**scope, "scheme": self.scheme} if host == self.host else scope
