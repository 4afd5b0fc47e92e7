"""A worker process: uvicorn, under gunicorn's arbiter, with an end that loses no request."""

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

# After SIGTERM: gone when no request came for QUIET seconds, deaf to new connections after LINGER.
QUIET = 1.0
LINGER = 10.0


class Worker(GunicornWorker):
    """Leaves with a graceful end.

    Leaving: as soon as `gate.LEAVING` exists, or SIGTERM came, every answer says `Connection: close`.
    Stopping: SIGTERM alone closes nothing. Node proxies learn late that a pod is gone, so the worker
    goes on accepting until no client comes any more and every request is answered.
    """

    sockets: list[Any]
    wsgi: Gate  # gunicorn's name for the app

    def init_signals(self) -> None:
        self.stopping: float | None = None
        super().init_signals()
        pthread_sigmask(SIG_UNBLOCK, {SIGTERM})  # held back over the fork by the arbiter

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM."""
        if self.stopping is None:
            self.stopping = time.monotonic()

    def run(self) -> None:
        """Serve until the end."""
        config = uvicorn.Config(
            self.wsgi,
            http=Protocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
            # Longer than the idle time of ingress controllers (60 s): they never meet a closed connection.
            timeout_keep_alive=int(IDLE_SECONDS),
            timeout_graceful_shutdown=self.cfg.graceful_timeout,
        )
        Server(config, self).run([each.sock for each in self.sockets])


class Server(uvicorn.Server):
    """uvicorn's server, which ends when the worker may."""

    def __init__(self, config: uvicorn.Config, worker: Worker) -> None:
        super().__init__(config)
        self.worker = worker

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The worker's own handlers stay."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        await super().on_tick(counter)
        if counter % 10 == 0:
            self.worker.notify()
        return os.getppid() != self.worker.ppid or self.finished()

    def finished(self) -> bool:
        """Whether this worker was told to stop and nobody needs it any more."""
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
