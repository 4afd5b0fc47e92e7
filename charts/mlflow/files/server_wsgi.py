"""Flask as an ASGI app: a request has a thread while Flask works, not while a client is slow."""

import asyncio
import contextvars
import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any
from urllib.parse import unquote_to_bytes

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]

# Bytes of a body that are read before there is a thread for it: of one request, and of all.
SMALL = 128 << 10
ALL_SMALL = 64 << 20
# Bytes of an answer that a thread collects before it waits for the client.
PIECE = 64 << 10
# A larger body holds a thread while it comes. It may be slower than this only in its first minute.
GRACE_SECONDS = 60
BYTES_PER_SECOND = 4096
# Requests that may wait for a thread.
MAX_WAITING = 1000
BUSY = "Too many requests are waiting for this server; try again."


class Threads:
    """The threads of a worker, and what they have been doing for how long."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count, "request")
        self.large = asyncio.Semaphore(max(1, count // 2))
        self.small_bytes = 0
        self.began: dict[int, float] = {}
        self.waiting = 0

    async def run(self, work: Callable[[], Any]) -> Any:
        """Call in a thread."""
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, self._timed, work)
        finally:
            self.waiting -= 1

    def _timed(self, work: Callable[[], Any]) -> Any:
        me = threading.get_ident()
        self.began[me] = time.monotonic()
        try:
            return work()
        finally:
            del self.began[me]

    def are_stuck(self, seconds: float) -> bool:
        """Whether all have worked on one request for so long, and none of them waits for the database."""
        began = dict(self.began)
        if len(began) < self.count or time.monotonic() - max(began.values()) < seconds:
            return False
        frames = sys._current_frames()
        return not any(_is_in_database(frames.get(thread)) for thread in began)


def _is_in_database(frame: Any) -> bool:
    while frame is not None:
        file = frame.f_code.co_filename
        if "/sqlalchemy/" in file or "/psycopg" in file or "/pymysql/" in file:
            return True
        frame = frame.f_back
    return False


class Wsgi:
    """The ASGI app."""

    def __init__(self, app: WSGI, threads: Callable[[], Threads]) -> None:
        self.app = app
        self.threads = threads

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        threads = self.threads()
        if threads.waiting > MAX_WAITING:
            await _send_busy(send)
            return
        body, more = bytearray(), True
        try:
            while more and len(body) <= SMALL and threads.small_bytes < ALL_SMALL:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                more = message.get("more_body", False)
                body += message.get("body", b"")
                threads.small_bytes += len(message.get("body", b""))
            async with threads.large if more else nullcontext():
                source = _Rest(bytes(body), receive, asyncio.get_running_loop()) if more else None
                stream = io.BufferedReader(source) if source else io.BytesIO(body)
                await _Answer(self.app, _environ(scope, stream, None if more else len(body))).give(
                    threads, send
                )
        finally:
            threads.small_bytes -= len(body)


class _Answer:
    """One call of the WSGI app, made step by step in threads, each with the same context."""

    def __init__(self, app: WSGI, environ: dict[str, Any]) -> None:
        self.app = app
        self.environ = environ
        self.context = contextvars.copy_context()
        self.result: Any = ()
        self.parts: Iterator[bytes] = iter(())
        self.start: dict[str, Any] = {}

    async def give(self, threads: Threads, send: Any) -> None:
        """Send the whole answer."""

        def in_context(work: Callable[[], Any]) -> Any:
            return threads.run(lambda: self.context.run(work))

        ended = False
        try:
            pieces, ended = await in_context(self._begin)
            await send(self.start)
            while True:
                for piece in pieces[:-1]:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                last = pieces[-1] if pieces else b""
                await send({"type": "http.response.body", "body": last, "more_body": not ended})
                if ended:
                    return
                pieces, ended = await in_context(self._next)
        finally:
            if not ended:
                await in_context(self._close)

    def _begin(self) -> tuple[list[bytes], bool]:
        self.result = self.app(self.environ, self._start_response)
        self.parts = iter(self.result)
        return self._next()

    def _start_response(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        self.start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        }

    def _next(self) -> tuple[list[bytes], bool]:
        """Pieces of the answer, and whether they are the last."""
        pieces, size = [], 0
        for part in self.parts:
            pieces += [part[at : at + PIECE] for at in range(0, len(part), PIECE)]
            size += len(part)
            if size >= PIECE:
                return pieces, False
        self._close()
        return pieces, True

    def _close(self) -> None:
        if hasattr(self.result, "close"):
            self.result.close()


class _Rest(io.RawIOBase):
    """A body that is read while it comes, from a thread."""

    def __init__(self, begin: bytes, receive: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.buffer = begin
        self.receive = receive
        self.loop = loop
        self.more = True
        self.began = time.monotonic()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self.buffer and self.more:
            message = asyncio.run_coroutine_threadsafe(self.receive(), self.loop).result()
            waited = time.monotonic() - self.began
            self.size += len(message.get("body", b""))
            slow = waited > GRACE_SECONDS and self.size < waited * BYTES_PER_SECOND
            if message["type"] == "http.disconnect" or slow:
                from werkzeug.exceptions import ClientDisconnected

                raise ClientDisconnected
            self.buffer, self.more = message.get("body", b""), message.get("more_body", False)
        count = min(len(target), len(self.buffer))
        target[:count], self.buffer = self.buffer[:count], self.buffer[count:]
        return count


def _environ(scope: dict[str, Any], stream: Any, length: int | None) -> dict[str, Any]:
    """The request as WSGI has it. Nothing comes from a header but the variables named after headers."""
    server = scope.get("server") or ("localhost", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{text}" if key in environ else text
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


async def _send_busy(send: Any) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": BUSY.encode()})
