"""gunicorn's threaded worker, taught to leave without losing a request and to answer probes at any load."""

import os
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from signal import SIG_UNBLOCK, SIGTERM, pthread_sigmask
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker
from server_probe import Probe

# Touched by the pod's preStop hook: the pod is being taken out of its Service.
LEAVING = os.environ.get("MLFLOW_KUBERNETES_LEAVING_FILE", "/tmp/leaving")  # noqa: S108
# After SIGTERM: gone when no request came for QUIET seconds, deaf to new connections after LINGER.
QUIET = 1.0
LINGER = 10.0
# How long a client may take to read the end of its answer and to hang up.
GOODBYE = 10.0
# How long a refusal waits for the rest of its request.
REST = 3.0


class Worker(ThreadWorker):
    """A gthread worker with a graceful end.

    Leaving: from the moment that LEAVING exists, or SIGTERM came, every answer says `Connection: close`.
    Stopping: SIGTERM alone closes nothing. Node proxies learn late that a pod is gone, so the worker
    goes on accepting until nobody comes any more and every request is answered.
    """

    sockets: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stopping: float | None = None
        self.last_request = 0.0
        self.goodbyes: deque[Any] = deque()

    def init_signals(self) -> None:
        super().init_signals()
        pthread_sigmask(SIG_UNBLOCK, {SIGTERM})  # held back over the fork by the arbiter

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.probe = Probe(self.wsgi)
        app = self.wsgi
        self.wsgi = lambda environ, start_response: app(environ, partial(self.begin_answer, start_response))

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM."""
        if self.stopping is None:
            self.stopping = time.monotonic()
            self.method_queue.defer(lambda: None)  # wakes the loop

    def run(self) -> None:
        """The main loop: it never blocks on a client, threads do."""
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        while not self.finished() and self.is_parent_alive():
            self.notify()
            self.set_accept_enabled(self.nr_conns < self.worker_connections and bool(self.sockets))
            self.wait_for_and_dispatch_events(timeout=1.0 if self.stopping is None else 0.1)
            self.murder_keepalived()
            self.murder_pending()
            while self.goodbyes and self.goodbyes[0].timeout < time.monotonic():
                self.hang_up(self.goodbyes[0])
        self.close_listeners()
        self.tpool.shutdown(wait=False)

    def finished(self) -> bool:
        """Whether this worker was told to stop and nobody needs it any more."""
        if self.stopping is None:
            return False
        now = time.monotonic()
        if now > self.stopping + LINGER:
            self.close_listeners()
        newest = self.pending_conns[-1].timeout - self.cfg.keepalive if self.pending_conns else 0.0
        quiet = now - max(self.stopping, self.last_request, newest) > QUIET
        busy = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        return (quiet and not busy) or now > self.stopping + self.cfg.graceful_timeout

    def close_listeners(self) -> None:
        """Refuse new connections."""
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        self.sockets = []

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection a thread, once it has something to say that needs one."""
        if not conn.initialized and not conn.data_ready:
            self.await_first_bytes(conn)
        elif not conn.initialized and self.probe.answered(conn.sock):
            self.say_goodbye(conn)
        else:
            self.last_request = time.monotonic()
            super().enqueue_req(conn)

    def await_first_bytes(self, conn: Any) -> None:
        """gunicorn lets a silent connection hold a thread for 5 s: eight of them would stop the worker."""
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread."""
        req.finish_body = conn.parser.finish_body
        return super().handle_request(req, conn)

    def begin_answer(self, start_response: Any, *answer: Any) -> Any:
        """Say whether the connection stays. Only now: the pod may have begun to leave during an upload.

        A refusal may come before its request was read. Proxies written in Go, Traefik among them, cut off an
        answer that is faster than the few bytes they still have to send.
        """
        response = start_response.__self__  # gunicorn's
        if answer[0] >= "4":
            with suppress(OSError, ParseException):
                response.req.finish_body(deadline=time.monotonic() + REST)
        if self.stopping is not None or os.path.exists(LEAVING):
            response.force_close()
        return start_response(*answer)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Keep the connection, or close it when the client has read its answer."""
        self.last_request = time.monotonic()  # the next may follow at once, on a connection that was to stay
        if fs.cancelled() or fs.exception() or not fs.result():
            self.say_goodbye(conn)
        elif conn.parser.unreader.buf.getvalue():
            # The next request came with the end of this one's body: no poller will ever report it.
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)

    def say_goodbye(self, conn: Any) -> None:
        """Send the end of the stream, then wait for the client's (gunicorn waits in its main loop)."""
        conn.timeout = time.monotonic() + GOODBYE
        self.goodbyes.append(conn)
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_goodbye, conn))
        except (OSError, ValueError):  # the client was faster
            self.hang_up(conn)

    def on_goodbye(self, conn: Any, _sock: Any) -> None:
        """The client hung up, or sent what nobody reads any more."""
        try:
            if conn.sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.hang_up(conn)

    def hang_up(self, conn: Any) -> None:
        """Close for good."""
        self.goodbyes.remove(conn)
        self.nr_conns -= 1
        with suppress(KeyError, ValueError):  # was never registered, or is closed already
            self.poller.unregister(conn.sock)
        conn.close()
