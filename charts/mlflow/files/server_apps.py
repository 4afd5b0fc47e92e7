"""MLflow's two apps, opened the way `mlflow server` opens them, as one WSGI application."""

import gc
import importlib
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import say
import server_auth
import server_metrics

# What MLflow reads while it is imported, so before its own command line could set it.
READ_AT_IMPORT = {
    "MLFLOW_STATIC_PREFIX": "_MLFLOW_STATIC_PREFIX",
    "MLFLOW_EXPOSE_PROMETHEUS": "prometheus_multiproc_dir",
}

# Imported by the first search, the first look at a run in the UI, the first upload: a second or more for one
# user (10 without .pyc files), and memory that workers could not share. A name that MLflow drops is skipped.
LAZY = (
    "mlflow.server.auth",
    "mlflow.server.graphql.graphql_schema_extensions",
    "mlflow.server.graphql.graphql_no_batching",
    "mlflow.utils.search_logged_model_utils",
    "server_bridge",
    "anyio._backends._asyncio",
)


class Misconfigured(Exception):
    """Settings that cannot work, as `<variable>: <what is wrong>; <what to set instead>`."""


class Apps:
    """Flask answers its own routes; FastAPI, through a bridge, those that it serves natively."""

    def __init__(self, flask: Any, fastapi: Any) -> None:
        from starlette.routing import Match, Mount

        self.flask = flask
        self.fastapi = fastapi
        self._bridge: Any = None
        self._lock = threading.Lock()
        native = [route for route in fastapi.routes if not isinstance(route, Mount)]

        @lru_cache(maxsize=4096)  # asking Starlette takes up to 0.4 ms; clients use few method and path pairs
        def is_native(method: str, path: str) -> bool:
            scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
            return any(route.matches(scope)[0] is Match.FULL for route in native)

        self.is_native = is_native

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        method = environ["REQUEST_METHOD"]
        # MLflow's CORS rules are complete in its FastAPI app only. Browsers meet them, its clients never do.
        browser = "HTTP_ORIGIN" in environ or method == "OPTIONS"
        if self.is_native(method, path):
            return self.native(environ, start_response)
        return (self.bridge if browser else self.flask)(environ, start_response)

    def native(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """What FastAPI answers itself."""
        return self.bridge(environ, start_response)

    @property
    def bridge(self) -> Any:
        """Made at its first use: its event loop thread would not survive the fork."""
        with self._lock:
            if self._bridge is None:
                from server_bridge import Bridge  # which needs a2wsgi, so not before the path is complete

                self._bridge = Bridge(self.fastapi)
            return self._bridge


def open_apps(app_name: str) -> Apps:
    """Do all that `mlflow server` does up to starting its web server, and load what that would load."""
    for variable, internal in READ_AT_IMPORT.items():
        if os.environ.get(variable):
            os.environ[internal] = os.environ[variable]
    _refuse_what_needs_upstream(app_name)
    prepare(app_name)
    import mlflow.server

    if app_name:
        server_auth.share_gateway_token()
        server_auth.remember_passwords()
        server_auth.follow_secret()
        factory, attribute = mlflow.server._find_app(app_name).split(":")
        fastapi = getattr(importlib.import_module(factory), attribute)()
    else:
        from mlflow.server.fastapi_app import app as fastapi
    for module in LAZY:
        with suppress(ImportError):
            importlib.import_module(module)
    _close_connections()
    apps = Apps(mlflow.server.app, fastapi)
    if server_metrics.folder():
        server_metrics.forget_the_dead()
        server_metrics.extend(apps)
    return apps


def _refuse_what_needs_upstream(app_name: str) -> None:
    from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION

    for variable in ("MLFLOW_GUNICORN_OPTS", "MLFLOW_UVICORN_OPTS"):
        if variable in os.environ:
            raise Misconfigured(
                f"{variable}: the direct launcher sets its web server itself; "
                "remove it, or set MLFLOW_KUBERNETES_LAUNCHER=upstream"
            )
    if app_name not in ("", "basic-auth"):
        raise Misconfigured(
            f"MLFLOW_KUBERNETES_APP_NAME: the direct launcher knows no {app_name!r}; "
            "set basic-auth, or MLFLOW_KUBERNETES_LAUNCHER=upstream"
        )
    # The executor engine only writes jobs down; jobs.py runs them. MLflow before 3.17 does not know it.
    engine = os.environ.get("MLFLOW_SERVER_JOB_EXECUTION_ENGINE")
    if MLFLOW_SERVER_ENABLE_JOB_EXECUTION.get() and not engine:
        raise Misconfigured(
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION: the direct launcher runs no background jobs; "
            "set false, MLFLOW_SERVER_JOB_EXECUTION_ENGINE=executor with a runner for them, "
            "or MLFLOW_KUBERNETES_LAUNCHER=upstream"
        )


class _WouldStart(Exception):
    """Carries the environment that `mlflow server` was about to give to its web server."""


def prepare(app_name: str) -> None:
    """Run MLflow's own command line up to the point where it starts a web server, and take over there.

    So its checks, its defaults, the opening of its stores and the account of basic-auth's administrator
    stay MLflow's code, in whichever version is installed.
    """
    import mlflow.cli
    import mlflow.server

    say.shape_logs()

    def take_over(_command: list[str], *, extra_env: dict[str, str], **_: Any) -> None:
        raise _WouldStart(extra_env)

    start = mlflow.server._exec_cmd
    mlflow.server._exec_cmd = take_over  # type: ignore[assignment]
    try:
        mlflow.cli.server.main(["--app-name", app_name] if app_name else [], standalone_mode=False)
    except _WouldStart as would_start:
        os.environ.update(would_start.args[0])
    finally:
        mlflow.server._exec_cmd = start


def _close_connections() -> None:
    """Close every database connection: one that is shared over a fork corrupts both processes."""
    from sqlalchemy import Engine

    for thing in gc.get_objects():
        if isinstance(thing, Engine):
            thing.dispose()
