"""What the direct launcher adds to MLflow's own metrics.

MLflow counts the requests that Flask answers. These are also counted: those that FastAPI answers, and how
much of a pod is in use. All counts go into MLflow's own metrics files: each worker writes its own, and
readers add them up.
"""

import os
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from timeit import default_timer
from typing import Any

App = Callable[..., Any]
# Not requests of users; MLflow leaves them out too.
PROBES = ("/health", "/version")


def metrics_folder() -> str | None:
    """Return the folder of the metrics files, or None if metrics are off."""
    return os.environ.get("prometheus_multiproc_dir")  # noqa: SIM112 (the library's own spelling)


def remove_stale_gauges() -> None:
    """Remove the gauges that the workers of a killed server left behind."""
    for file in Path(metrics_folder() or "").glob("gauge_live*.db"):
        file.unlink()


class CountRequests:
    """An ASGI app whose requests are counted under MLflow's names."""

    def __init__(self, app: App) -> None:
        from mlflow.version import VERSION
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.app = app
        self.version = VERSION
        # MLflow has metrics of these names too. Another help text makes another entry in the file, so neither
        # overwrites the other, and readers add them up by name.
        unregistered = CollectorRegistry()
        self.total = Counter(
            "mlflow_http_request_total",
            "HTTP requests to FastAPI",
            ("method", "status"),
            registry=unregistered,
        )
        self.seconds = Histogram(
            "mlflow_http_request_duration_seconds",
            "HTTP requests to FastAPI in seconds",
            ("method", "mlflow_version", "status"),
            registry=unregistered,
        )
        # Start at 0 before the first request: rate() misses the first event of a counter that starts with it.
        for method in ("GET", "POST"):
            for code in ("200", "500"):
                self.total.labels(method, code)
                self.seconds.labels(method, self.version, code)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on, and count its answer."""
        if scope["path"].endswith(PROBES):
            await self.app(scope, receive, send)
            return
        method, began = scope["method"], default_timer()

        async def send_counted(message: dict[str, Any]) -> None:
            # The time to the first byte, as MLflow measures it. The rest of a download depends on the client.
            if message["type"] == "http.response.start":
                code = str(message["status"])
                self.total.labels(method, code).inc()
                self.seconds.labels(method, self.version, code).observe(default_timer() - began)
            await send(message)

        await self.app(scope, receive, send_counted)


class Usage:
    """How much of a worker is in use: threads, and connections of its busiest database pool."""

    def __init__(self, worker: Any) -> None:
        from prometheus_client import CollectorRegistry, Gauge

        self.worker = worker
        self.pools: set[Any] = set()
        unregistered = CollectorRegistry()

        def gauge(name: str, words: str, mode: Any) -> Gauge:
            return Gauge(name, words, registry=unregistered, multiprocess_mode=mode)

        self.busy = gauge(
            "mlflow_http_requests_in_progress", "Requests in progress or waiting for a thread.", "livesum"
        )
        threads = gauge("mlflow_http_threads", "Request threads.", "livesum")
        words = "Connections in use in the fullest database pool of a worker."
        self.used = gauge("mlflow_database_pool_used", words, "livemax")
        limit = gauge("mlflow_database_pool_limit", "Maximum connections of a pool.", "livemax")
        threads.set(worker.cfg.threads)
        limit.set(_pool_limit())

    def start(self) -> None:
        """Update the gauges every second, until the process ends."""
        from sqlalchemy import QueuePool, event

        # Not the events of engines: fast paths take connections from the pool itself.
        def remember_pool(_driver_connection: Any, _record: Any, pooled: Any) -> None:
            self.pools.add(pooled._pool)

        event.listen(QueuePool, "checkout", remember_pool)
        threading.Thread(target=self._update, daemon=True).start()

    def _update(self) -> None:
        while True:
            self.busy.set(self.worker.wsgi.in_progress)
            self.used.set(max((pool.checkedout() for pool in list(self.pools)), default=0))
            time.sleep(1)


def _pool_limit() -> int:
    """Return the pool's limit. To MLflow and SQLAlchemy, 0 in a variable means the default."""
    from mlflow.environment_variables import (
        MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW,
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE,
    )

    size, overflow = MLFLOW_SQLALCHEMYSTORE_POOL_SIZE.get(), MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW.get()
    return (size or 5) + (overflow or 10)


def watch_usage(worker: Any) -> None:
    """Start the gauges of a worker. Call it after the fork."""
    if metrics_folder():
        Usage(worker).start()


def install(apps: Any) -> None:
    """Count what FastAPI answers, and let /metrics show all pages that the chart names."""
    apps.native = CountRequests(apps.native)
    pages = os.environ.get("MLFLOW_KUBERNETES_METRICS_PAGES", "").split()
    if pages:
        # The view behind MLflow's own route, so login and allowed hosts stay as they are.
        apps.flask.app.view_functions["prometheus_metrics"] = lambda: _join_pages(pages)


def _join_pages(pages: list[str]) -> tuple[str, int, dict[str, str]]:
    kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    return "".join(_fetch(page) for page in pages), 200, kind


def _fetch(page: str) -> str:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(page, timeout=2) as answer:
            return str(answer.read(), "utf-8")
    except OSError as error:
        return f"# {page}: {error}\n"
