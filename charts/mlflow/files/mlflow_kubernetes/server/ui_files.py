"""The UI's files: each compressed once for a pod, and kept by browsers, under both launchers."""

import asyncio
import io
import os
import re
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO

from mlflow_kubernetes.server.gzip_files import GzipFiles
from mlflow_kubernetes.server.gzip_headers import GZIP, accepts_gzip, as_gzip, with_vary, with_weak_etag

App = Callable[..., Awaitable[None]]
TEXT = (".js", ".css", ".html", ".json", ".svg", ".txt", ".map")
# `main.c2f5f8d4.js`: other content has another name.
HASHED = re.compile(r"[.-][0-9a-f]{8,64}\.([a-z-]+\.)*[a-z0-9]+")
KEEP = b"public, max-age=31536000, immutable"
REVALIDATE = b"no-cache"
PIECE = 64 << 10
SMALL = 1 << 10


class UiFiles:
    """An ASGI app in front of MLflow's, which finds the files, and answers whether they have changed."""

    def __init__(self, app: App, compress: bool) -> None:
        self.app = app
        self.compress = compress
        prefix = os.environ.get("MLFLOW_STATIC_PREFIX", "")
        self.folder, self.index = f"{prefix}/static-files/", f"{prefix}/"
        self.store = GzipFiles()

    async def __call__(self, scope: dict[str, Any], receive: App, send: App) -> None:
        """Pass a request on; the answer to one for a file of the UI is changed on its way."""
        path = scope.get("path", "")
        if scope["type"] == "http" and (path.startswith(self.folder) or path == self.index):
            answer = _Answer(self, scope, send)
            try:
                await self.app(scope, receive, answer.send)
            finally:
                answer.end()
        else:
            await self.app(scope, receive, send)


class _Answer:
    """The answer to one request for a file."""

    def __init__(self, files: UiFiles, scope: dict[str, Any], send: App) -> None:
        self.files, self.scope, self._send = files, scope, send
        self.start: dict[str, Any] | None = None  # of an answer in gzip, which is sent at the end
        self.etag = b""
        self.source: BinaryIO | None = None
        self.engine: Any = None
        self.parts: list[bytes] = []
        self.name = scope["path"].rpartition("/")[2] or "index.html"
        text = self.name.endswith(TEXT)
        whole = scope["method"] == "GET" and all(name != b"range" for name, _ in scope["headers"])
        self.varies = files.compress and text
        self.gzip = self.varies and whole and accepts_gzip(scope["headers"])

    async def send(self, message: dict[str, Any]) -> None:
        """Take a part of MLflow's answer."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self.start is None:
            await self._send(message)
        else:
            if self.engine:
                self.parts.append(await asyncio.to_thread(self.engine.compress, message.get("body", b"")))
            if not message.get("more_body", False):
                await self._finish(self.start)

    def end(self) -> None:
        """Let the next request compress, and close the file."""
        if self.engine:
            self.engine = None
            self.files.store.making.release()
        if self.source:
            self.source.close()

    async def _begin(self, message: dict[str, Any]) -> None:
        headers = dict(message.get("headers", ()))
        self.etag = headers.get(b"etag", b"")
        if message["status"] not in (200, 206, 304) or not self.etag:  # no file
            await self._send(message)
            return
        message = {**message, "headers": self._headers(message["headers"])}
        if self.gzip and message["status"] == 200 and int(headers.get(b"content-length", 0)) > SMALL:
            self.start = message
            await self._choose_source()
        else:
            await self._send(message)

    def _headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        age = KEEP if HASHED.search(self.name) else REVALIDATE
        headers = [each for each in headers if each[0] not in (b"cache-control", b"expires")]
        headers = [*headers, (b"cache-control", age)]
        headers = with_vary(headers) if self.varies else headers
        return with_weak_etag(headers) if self.gzip else headers

    async def _choose_source(self) -> None:
        store = self.files.store
        self.source = store.open(self.etag)
        if self.source is None:
            await store.making.acquire()
            self.source = store.open(self.etag)
            if self.source is None:
                self.engine = zlib.compressobj(6, zlib.DEFLATED, GZIP)
            else:
                store.making.release()

    async def _finish(self, start: dict[str, Any]) -> None:
        source = self.source or await self._compressed()
        self.source = source
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
        headers = [*as_gzip(start["headers"]), (b"content-length", b"%d" % size)]
        await self._send({**start, "headers": headers})
        while size > 0:
            piece = await asyncio.to_thread(source.read, PIECE)
            if not piece:
                raise OSError(f"{self.name}: its compressed file is shorter than it was.")
            size -= len(piece)
            await self._send({"type": "http.response.body", "body": piece, "more_body": size > 0})

    async def _compressed(self) -> BinaryIO:
        data = b"".join([*self.parts, self.engine.flush()])
        self.parts = []
        await asyncio.to_thread(self.files.store.add, self.etag, data)
        self.engine = None
        self.files.store.making.release()
        return self.files.store.open(self.etag) or io.BytesIO(data)
