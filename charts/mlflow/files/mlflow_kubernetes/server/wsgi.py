"""Flask as an ASGI app: a request has a thread while Flask works, not while a client is slow."""

import asyncio
import contextvars
import io
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import Any
from urllib.parse import unquote_to_bytes

from mlflow_kubernetes.server.rules import ARTIFACTS
from mlflow_kubernetes.server.unavailable import FULL, is_full

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]

# Bytes of one body, and of all bodies, that are kept in memory; the rest is kept on disk, in TMPDIR.
IN_MEMORY = 128 << 10
ALL_IN_MEMORY = 64 << 20
# Bytes of all bodies that may be on disk.
ALL_ON_DISK = 512 << 20
# Bytes of an answer that a thread collects before it waits for the client.
PIECE = 64 << 10
# Requests that may wait for a thread.
MAX_WAITING = 1000
BUSY = "Too many requests are waiting for this server; try again."


class Threads:
    """The threads of a worker, and when each of them began its current request."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count, "request")
        # An object store that hangs holds a thread for minutes. The other half of them works on.
        self.on_artifacts = asyncio.Semaphore(max(1, count // 2))
        self.in_memory = self.on_disk = 0  # bytes of bodies
        self.began: dict[int, float] = {}
        self.waiting = 0

    async def run(self, work: Callable[[], Any], artifacts: bool = False) -> Any:
        """Call a function in a thread and return its result. Half of the threads may work on artifacts."""
        self.waiting += 1
        try:
            async with self.on_artifacts if artifacts else nullcontext():
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
        """Return whether each thread has been busy with one request for that long, none with the database."""
        began = dict(self.began)
        if len(began) < self.count or time.monotonic() - max(began.values()) < seconds:
            return False
        frames = sys._current_frames()
        return not any(_is_in_database(frames.get(thread)) for thread in began)


# psycopg2 is written in C and has no frames. The fast paths call it without SQLAlchemy, so theirs count.
DATABASE_FILES = ("/sqlalchemy/", "/psycopg", "/pymysql/", "/server/fast/statements.py")


def _is_in_database(frame: Any) -> bool:
    while frame is not None:
        file = frame.f_code.co_filename
        if any(part in file for part in DATABASE_FILES):
            return True
        frame = frame.f_back
    return False


class Wsgi:
    """The ASGI app around a WSGI app."""

    def __init__(self, app: WSGI, threads: Callable[[], Threads], login_path: str | None = None) -> None:
        """`login_path` answers GET with less than 400 to each account, and to nothing else."""
        self.app = app
        self.threads = threads
        self.login_path = login_path

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Read the body, then answer with the WSGI app."""
        threads = self.threads()
        if threads.waiting > MAX_WAITING:
            await _send_busy(send, BUSY)
            return
        body = _Body(threads, bounded=not ARTIFACTS.search(scope["path"]))
        try:
            if await self._has_read(body, scope, receive, send):
                await _Answer(self.app, _environ(scope, body.file, body.size)).give(threads, send)
        finally:
            body.close()

    async def _has_read(self, body: "_Body", scope: dict[str, Any], receive: Any, send: Any) -> bool:
        """Read the body to its end. False if the request was answered meanwhile, or its client has gone."""
        more = True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return False
                small = body.on_disk == 0
                if not body.add(message.get("body", b"")):
                    await _send_busy(send, BUSY)
                    return False
                more = message.get("more_body", False)
                if more and small and body.on_disk and await self._refuses(scope, body.threads, send):
                    return False
            body.rewind()
        except OSError as error:
            if not is_full(error):
                raise
            await _send_busy(send, FULL)
            return False
        return True

    async def _refuses(self, scope: dict[str, Any], threads: Threads, send: Any) -> bool:
        """Ask for the account before the rest of a large body. True if a refusal was sent."""
        if self.login_path is None:
            return False
        headers = [
            each for each in scope["headers"] if each[0] not in (b"content-type", b"transfer-encoding")
        ]
        head = {**scope, "method": "GET", "raw_path": self.login_path.encode(), "query_string": b""}
        answer = _Answer(self.app, _environ({**head, "headers": headers}, io.BytesIO(), 0))
        status, data = await answer.whole(threads)
        if status < 400:
            return False
        await send(answer.start)
        await send({"type": "http.response.body", "body": data})
        return True


class _Body:
    """A request's body, read without a thread because clients may be slow."""

    def __init__(self, threads: Threads, bounded: bool) -> None:
        self.threads = threads
        self.bounded = bounded
        self.size = self.in_memory = self.on_disk = 0
        self.file: Any = io.BytesIO()

    def add(self, data: bytes) -> bool:
        """Store the next part. Return False if the bodies of all requests are too large together."""
        self.size += len(data)
        if self.on_disk == 0 and self.size <= IN_MEMORY and self.threads.in_memory < ALL_IN_MEMORY:
            self._count(in_memory=len(data))
        else:
            if self.on_disk == 0:
                self._move_to_disk()
            self._count(on_disk=len(data))
            if self.bounded and self.threads.on_disk > ALL_ON_DISK:
                return False
        self.file.write(data)
        return True

    def rewind(self) -> None:
        """Write what is buffered, and go to the start of the file."""
        self.file.seek(0)

    def close(self) -> None:
        """Close the file, and subtract its bytes from the counts."""
        with suppress(OSError):  # it writes what is buffered, for which a full disk has no room
            self.file.close()
        self._count(-self.in_memory, -self.on_disk)

    def _move_to_disk(self) -> None:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        file.write(self.file.getbuffer())
        self.file = file
        self._count(-self.in_memory, self.in_memory)

    def _count(self, in_memory: int = 0, on_disk: int = 0) -> None:
        self.in_memory += in_memory
        self.on_disk += on_disk
        self.threads.in_memory += in_memory
        self.threads.on_disk += on_disk if self.bounded else 0


class _Answer:
    """One call of the WSGI app, made step by step in threads, each with the same context."""

    def __init__(self, app: WSGI, environ: dict[str, Any]) -> None:
        self.app = app
        self.environ = environ
        self.artifacts = "artifact" in environ["PATH_INFO"]
        self.context = contextvars.copy_context()
        self.result: Any = ()
        self.parts: Iterator[bytes] = iter(())
        self.start: dict[str, Any] = {}

    async def give(self, threads: Threads, send: Any) -> None:
        """Send the whole answer."""
        ended = False
        try:
            pieces, ended = await self._run(threads, self._begin)
            await send(self.start)
            while True:
                for piece in pieces[:-1]:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                last = pieces[-1] if pieces else b""
                await send({"type": "http.response.body", "body": last, "more_body": not ended})
                if ended:
                    return
                pieces, ended = await self._run(threads, self._next)
        finally:
            if not ended:
                await self._run(threads, self._close)

    async def whole(self, threads: Threads) -> tuple[int, bytes]:
        """Status and body of a short answer, which is not sent."""
        pieces, ended = await self._run(threads, self._begin)
        if not ended:
            await self._run(threads, self._close)
        return self.start["status"], b"".join(pieces)

    async def _run(self, threads: Threads, work: Callable[[], Any]) -> Any:
        return await threads.run(lambda: self.context.run(work), self.artifacts)

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


def _environ(scope: dict[str, Any], stream: Any, length: int) -> dict[str, Any]:
    """Return the request's WSGI environment. Headers set only the variables that are named after headers."""
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
    environ["CONTENT_LENGTH"] = str(length)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


async def _send_busy(send: Any, words: str) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
