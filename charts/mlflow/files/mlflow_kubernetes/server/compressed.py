"""Large JSON answers, compressed for clients that ask for it, under both launchers."""

import asyncio
import os
import re
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from mlflow_kubernetes.server.gzip_headers import GZIP, accepts_gzip, as_gzip, with_vary
from mlflow_kubernetes.server.ui_files import UiFiles

App = Callable[..., Awaitable[None]]
# Bytes of an answer below which it is not compressed: it fits into few packets.
SMALL = 8 << 10
# Accounts, tokens and keys: the size of such an answer must not depend on a secret in it.
SECRETS = re.compile(r"/mlflow/(users|gateway|webhooks)(/|$)")
# Encoded, partial, a download, or not to be transformed.
UNSUITABLE = {b"content-encoding", b"content-range", b"content-disposition"}


def compressed(app: App) -> App:
    """Return the app with smaller answers, and with files of its UI that browsers keep."""
    wanted = (os.environ.get("MLFLOW_KUBERNETES_COMPRESSION") or "true") == "true"
    return Compressed(UiFiles(app, compress=True)) if wanted else UiFiles(app, compress=False)


class Compressed:
    """An ASGI app that sends the JSON of another one in gzip."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: App, send: App) -> None:
        """Pass a request on, and compress its answer if that is suitable."""
        suitable = scope["type"] == "http" and _is_suitable(scope)
        await self.app(scope, receive, _Answer(scope, send).send if suitable else send)


def _is_suitable(scope: dict[str, Any]) -> bool:
    # HTTP/1.0 has no answers of unknown length.
    if scope["method"] == "HEAD" or scope["http_version"] == "1.0" or SECRETS.search(scope["path"]):
        return False
    return all(name != b"range" for name, _ in scope["headers"])


class _Answer:
    """One answer, compressed piece by piece."""

    def __init__(self, scope: dict[str, Any], send: App) -> None:
        self.scope = scope
        self._send = send
        self.engine: Any = None

    async def send(self, message: dict[str, Any]) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            await self._send(self._start(message))
        elif self.engine is None:
            await self._send(message)
        else:
            more = message.get("more_body", False)
            data = self.engine.compress(message.get("body", b""))
            data += b"" if more else self.engine.flush()
            if data or not more:
                await self._send({"type": "http.response.body", "body": data, "more_body": more})
            await asyncio.sleep(0)  # a turn for other requests: a whole answer may be ready at once

    def _start(self, message: dict[str, Any]) -> dict[str, Any]:
        headers = list(message.get("headers", ()))
        if message["status"] != 200 or not _is_large_json(dict(headers)):
            return message
        headers = with_vary(headers)
        if accepts_gzip(self.scope["headers"]):
            self.engine = zlib.compressobj(1, zlib.DEFLATED, GZIP)
            headers = as_gzip(headers)
        return {**message, "headers": headers}


def _is_large_json(headers: dict[bytes, bytes]) -> bool:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    length = headers.get(b"content-length", b"")  # a stream has none
    return (
        kind == b"application/json"
        and length.isdigit()
        and int(length) > SMALL
        and not UNSUITABLE & headers.keys()
        and b"no-transform" not in headers.get(b"cache-control", b"")
    )
