"""A worker process: uvicorn, under gunicorn's arbiter, that loses no request when it stops."""

import contextlib
import os
import time
from collections.abc import Iterator
from signal import SIG_UNBLOCK, SIGTERM, pthread_sigmask
from typing import Any

import uvicorn
from gunicorn.workers.base import Worker as GunicornWorker

from mlflow_kubernetes.server.edge.limits import IDLE_SECONDS
from mlflow_kubernetes.server.edge.protocol import Protocol
from mlflow_kubernetes.server.gate import Gate

# Seconds after SIGTERM: a worker exits if no request came for QUIET, and accepts no connection after LINGER.
QUIET = 1.0
LINGER = 10.0


class Worker(GunicornWorker):
    """Stops gracefully.

    Leaving: as soon as `gate.LEAVING` exists, or SIGTERM came, every answer says `Connection: close`.
    Stopping: SIGTERM closes no connection. Node proxies learn late that a pod is terminating, so the worker
    keeps accepting connections until no more come and every request is answered.
    """

    sockets: list[Any]
    wsgi: Gate  # gunicorn's name for the app

    def init_signals(self) -> None:
        """Install gunicorn's handlers, and unblock SIGTERM."""
        self.stopping: float | None = None
        super().init_signals()
        pthread_sigmask(SIG_UNBLOCK, {SIGTERM})  # blocked by the arbiter during the fork

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - a signal handler
        """Record when the first SIGTERM came."""
        if self.stopping is None:
            self.stopping = time.monotonic()

    def run(self) -> None:
        """Serve until the worker has finished."""
        config = uvicorn.Config(
            self.wsgi,
            http=Protocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
            # Longer than the idle time of ingress controllers (60 s): they never use a closed connection.
            timeout_keep_alive=int(IDLE_SECONDS),
            timeout_graceful_shutdown=self.cfg.graceful_timeout,
        )
        Server(config, self).run([each.sock for each in self.sockets])


class Server(uvicorn.Server):
    """uvicorn's server, which stops when the worker has finished."""

    def __init__(self, config: uvicorn.Config, worker: Worker) -> None:
        super().__init__(config)
        self.worker = worker

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Keep the worker's own signal handlers."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Send the heartbeat, and return whether to stop. uvicorn calls it ten times a second."""
        await super().on_tick(counter)
        if counter % 10 == 0:
            self.worker.notify()
        return os.getppid() != self.worker.ppid or self.finished()

    def finished(self) -> bool:
        """Return whether this worker was told to stop and has no clients left."""
        gate, stopping, now = self.worker.wsgi, self.worker.stopping, time.monotonic()
        if stopping is None:
            return False
        gate.stopping = True
        if now > stopping + LINGER:
            for server in self.servers:
                server.close()
        watch = getattr(self.server_state, "watch", None)
        newest = watch.newest if watch else 0.0  # loops have the monotonic clock too
        quiet = now - max(stopping, gate.last_request, newest) > QUIET
        return (quiet and not gate.in_progress) or now > stopping + self.worker.cfg.graceful_timeout
