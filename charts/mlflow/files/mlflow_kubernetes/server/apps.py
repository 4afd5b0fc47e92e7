"""MLflow's two apps, opened the way `mlflow server` opens them, as one ASGI application."""

import asyncio
import gc
import importlib
import os
import threading
import zlib
from contextlib import suppress
from functools import lru_cache
from typing import Any

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.server import (
    artifact_paths,
    auth,
    command_line,
    one_value,
    replica_misses,
    request_metrics,
    trace_writes,
    unavailable,
    workspace_bounds,
)
from mlflow_kubernetes.server.deferred import deferred_imports
from mlflow_kubernetes.server.edge.limits import max_body
from mlflow_kubernetes.server.fast.install import install as install_fast_paths
from mlflow_kubernetes.server.gate import CLIENT_PLACEHOLDER
from mlflow_kubernetes.server.presigned import limit_parts, withhold_presigned_urls
from mlflow_kubernetes.server.wsgi import Threads, Wsgi
from mlflow_kubernetes.tested import TESTED

# Longer paths are not cached, so the size of the cache has a bound.
CACHED_PATH = 256
# A worker answers 503 to probes when each of its threads has worked on one request for longer than this, and
# none of them waits for the database.
STUCK_SECONDS = float(os.environ.get("MLFLOW_KUBERNETES_STUCK_SECONDS") or 300)

# Variables that MLflow reads at import, before its own command line can set them.
READ_AT_IMPORT = {
    "MLFLOW_STATIC_PREFIX": "_MLFLOW_STATIC_PREFIX",
    "MLFLOW_EXPOSE_PROMETHEUS": "prometheus_multiproc_dir",
}

# MLflow imports these at the first search, the first run opened in the UI or the first upload. That would
# cost one user a second or more (10 without .pyc files), and memory that workers cannot share. A module that
# MLflow no longer has is skipped. EARLY reads no setting, so it is imported while the command line works.
EARLY = (
    "mlflow.server.graphql.graphql_schema_extensions",
    "mlflow.server.graphql.graphql_no_batching",
    "mlflow.utils.search_logged_model_utils",
    "anyio._backends._asyncio",
    "mlflow.server.gateway_api",
)
LATE = ("mlflow.server.auth",)


class Misconfigured(Exception):
    """Settings that cannot work, as `<variable>: <what is wrong>; <what to set instead>`."""


class Apps:
    """Flask answers its routes, FastAPI those that it serves natively; `/health` needs neither."""

    def __init__(self, flask: Any, fastapi: Any) -> None:
        from starlette.routing import Match, Mount

        prefix = os.environ.get("MLFLOW_STATIC_PREFIX", "")
        self.flask: Any = Wsgi(flask, self.get_threads, f"{prefix}/version" if auth.enabled() else None)
        self.fastapi = OnLoop(fastapi, self.get_loop)
        self.threads: Threads | None = None
        self.main_loop: Any = None
        self.fastapi_loop: asyncio.AbstractEventLoop | None = None
        native = [route for route in fastapi.routes if not isinstance(route, Mount)]
        self.native: Any = self.fastapi
        self.health_path = f"{prefix}/health"
        self.health = asyncio.run(_get(fastapi, self.health_path))
        for route in fastapi.routes:
            if isinstance(route, Mount):  # Flask, as browsers reach it through FastAPI
                route.app = OnLoop(self.flask, lambda: self.main_loop)

        def is_native(method: str, path: str) -> bool:
            scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
            return any(route.matches(scope)[0] is Match.FULL for route in native)

        # Asking Starlette takes up to 0.4 ms. Clients use few pairs of method and path, and short ones.
        self.is_native = is_native
        self.is_native_cached = lru_cache(maxsize=4096)(is_native)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a probe, or pass the request to the app that has the route."""
        self.main_loop = self.main_loop or asyncio.get_running_loop()
        method, path = scope["method"], scope["path"]
        if path == self.health_path and method == "GET":
            await self.answer_probe(send)
            return
        is_native = self.is_native_cached if len(path) <= CACHED_PATH else self.is_native
        if is_native(method, path):
            await self.native(scope, receive, send)
        # Only MLflow's FastAPI app has all its CORS rules. They matter to browsers, not to MLflow's clients.
        elif method == "OPTIONS" or any(name == b"origin" for name, _ in scope["headers"]):
            await self.fastapi(scope, receive, send)
        else:
            await self.flask(scope, receive, send)

    def get_threads(self) -> Threads:
        """Return the worker's threads, made at the first call: threads do not survive the fork."""
        if self.threads is None:
            self.threads = Threads(int(os.environ.get("MLFLOW_KUBERNETES_THREADS") or 8))
        return self.threads

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return FastAPI's own event loop: with a login MLflow blocks it with queries."""
        if self.fastapi_loop is None:
            self.fastapi_loop = asyncio.new_event_loop()
            threading.Thread(target=self.fastapi_loop.run_forever, name="fastapi", daemon=True).start()
            asyncio.run_coroutine_threadsafe(_limit_threads(self.get_threads().count), self.fastapi_loop)
        return self.fastapi_loop

    async def answer_probe(self, send: Any) -> None:
        """Answer `/health` without MLflow, which may wait for its database: 503 if all threads are stuck."""
        start, body = self.health
        if self.threads and self.threads.are_stuck(STUCK_SECONDS):
            start, body = {**start, "status": 503, "headers": []}, b"All threads are stuck."
        await send(start)
        await send({"type": "http.response.body", "body": body})


class OnLoop:
    """An ASGI app that runs on another event loop than its caller."""

    def __init__(self, app: Any, get_loop: Any) -> None:
        self.app = app
        self.get_loop = get_loop

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Run the app on its own loop, and pass messages between the loops."""
        there, here = self.get_loop(), asyncio.get_running_loop()

        async def receive_there() -> Any:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(receive(), here))

        async def send_there(message: Any) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(send(message), here))

        running = self.app(scope, receive_there, send_there)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(running, there))


async def _limit_threads(count: int) -> None:
    """FastAPI's synchronous views share the database's pool with Flask's."""
    import anyio.to_thread

    anyio.to_thread.current_default_thread_limiter().total_tokens = count


async def _get(app: Any, path: str) -> tuple[dict[str, Any], bytes]:
    """Return the app's answer to a GET. Called before the fork, so that workers share what FastAPI builds."""
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": CLIENT_PLACEHOLDER,
        "server": ("localhost", 0),
        "state": {},
    }
    await app(scope, receive, send)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


@deferred_imports(TESTED)
def open_apps(app_name: str) -> Apps:
    """Do what `mlflow server` does before it starts its web server, and import what requests need."""
    for variable, internal in READ_AT_IMPORT.items():
        if os.environ.get(variable):
            os.environ[internal] = os.environ[variable]
    _refuse_what_needs_upstream(app_name)
    command_line.prepare(app_name, lambda: _import(EARLY))
    import mlflow.server

    if app_name:
        auth.share_gateway_token()
        auth.harden()
        auth.sync_admin_password()
        factory, attribute = mlflow.server._find_app(app_name).split(":")
        fastapi = getattr(importlib.import_module(factory), attribute)()
    else:
        fastapi = importlib.import_module("mlflow.server.fastapi_app").app
    _import(LATE)
    if reason := install_fast_paths(mlflow.server.app):
        logger("server").info(f"fast paths are off: {reason}.")
    _close_connections()
    limit_decompression()
    withhold_presigned_urls()
    limit_parts()
    artifact_paths.install()
    one_value.install(mlflow.server.app)
    trace_writes.install()
    workspace_bounds.install()
    replica_misses.install(mlflow.server.app)
    unavailable.install(fastapi, mlflow.server.app)
    apps = Apps(mlflow.server.app, fastapi)
    if request_metrics.metrics_folder():
        request_metrics.remove_stale_gauges()
        request_metrics.install(apps)
    return apps


def _import(modules: tuple[str, ...]) -> None:
    for module in modules:
        with suppress(ImportError):
            importlib.import_module(module)


def _refuse_what_needs_upstream(app_name: str) -> None:
    from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION

    for variable in ("MLFLOW_GUNICORN_OPTS", "MLFLOW_UVICORN_OPTS"):
        if variable in os.environ:
            raise Misconfigured(f"{variable}: the direct launcher sets its web server itself; remove it")
    if app_name not in ("", "basic-auth"):
        raise Misconfigured(
            f"MLFLOW_KUBERNETES_APP_NAME: the direct launcher has no app {app_name!r}; "
            "set basic-auth, or MLFLOW_KUBERNETES_LAUNCHER=upstream"
        )
    # The executor engine only records jobs, and jobs.py runs them. MLflow before 3.17 does not have it.
    engine = os.environ.get("MLFLOW_SERVER_JOB_EXECUTION_ENGINE")
    if MLFLOW_SERVER_ENABLE_JOB_EXECUTION.get() and not engine:
        raise Misconfigured(
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION: the direct launcher runs no background jobs; "
            "set false, MLFLOW_SERVER_JOB_EXECUTION_ENGINE=executor with a runner for them, "
            "or MLFLOW_KUBERNETES_LAUNCHER=upstream"
        )


def limit_decompression() -> None:
    """Limit the decompressed size of an OTLP body: 400 KiB of gzip can become 800 MiB."""
    from fastapi import HTTPException
    from mlflow.server import otel_api

    most = max_body()

    def decompress(body: bytes, encoding: str) -> bytes:
        if encoding not in ("gzip", "deflate"):
            raise HTTPException(400, f"Unsupported Content-Encoding: {encoding}")
        # 47: gzip or zlib, as the body says itself; -15: deflate without either, as some clients send it.
        for window in (47, -15):
            engine = zlib.decompressobj(window)
            with suppress(zlib.error):
                whole = engine.decompress(body, most)
                if engine.unconsumed_tail:
                    raise HTTPException(413, "The body is too large when decompressed.")
                return whole
        raise HTTPException(400, f"Failed to decompress {encoding} payload")

    if not hasattr(otel_api, "decompress_otlp_body"):
        raise Misconfigured(
            "MLflow: the way in which it decompresses traces is unknown; use a version that is tested"
        )
    otel_api.decompress_otlp_body = decompress


def _close_connections() -> None:
    """Close every database connection: one that is shared over a fork corrupts both processes."""
    from sqlalchemy import Engine

    for thing in gc.get_objects():
        if isinstance(thing, Engine):
            thing.dispose()
