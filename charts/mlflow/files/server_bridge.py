"""From WSGI to MLflow's FastAPI app: a2wsgi, plus what it lacks for uploads and downloads."""

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

try:
    import a2wsgi
except ImportError:  # upstream's image has none: one pure wheel lies beside this file, and Python reads zips
    sys.path.append(str(next(Path(__file__).parent.glob("a2wsgi-*.whl"))))
    import a2wsgi  # noqa: F401
import say
from a2wsgi.asgi import ASGIMiddleware, ASGIResponder

_logger = logging.getLogger("mlflow.server")


class Bridge(ASGIMiddleware):
    """Serves an ASGI app as WSGI, streaming in both directions."""

    def __init__(self, app: Any) -> None:
        async def logged(scope: Any, receive: Any, send: Any) -> None:
            # The request's own thread is another one; whatever this task starts inherits the id.
            headers = dict(scope.get("headers") or ())
            say.request_id.set(headers.get(b"x-request-id", b"").decode("latin-1"))
            try:
                await app(scope, receive, send)
            except Exception:
                _logger.exception("%s %s failed", scope["method"], scope["path"])
                raise

        super().__init__(logged)

    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        responder = _Responder(self.app, self.loop, self.wait_time)
        return responder.stream(environ, start_response)


class _Responder(ASGIResponder):
    task: asyncio.Task[None] | None = None

    async def start_asgi_app(self, environ: Any) -> asyncio.Task[None]:
        self.task = await super().start_asgi_app(environ)
        return self.task

    def stream(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        """Answer one request, and end the app's side too when the client goes away half-way."""
        with tempfile.TemporaryFile() as body:
            try:
                yield from self(_readable(environ, body), start_response)
            finally:
                if self.task is not None:
                    self.loop.call_soon_threadsafe(self.task.cancel)


def _readable(environ: Any, body: Any) -> Any:
    """The request in the form that a2wsgi reads: with a length, valid UTF-8 and an ASCII query."""
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").encode().decode("latin-1")
    query = quote(
        environ.get("QUERY_STRING", "").encode("latin-1"), safe="%" + "!$&'()*+,;=:@/?~[]|{}\"<>\\^`"
    )
    ready = {**environ, "PATH_INFO": path, "QUERY_STRING": query}
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        shutil.copyfileobj(environ["wsgi.input"], body)
        ready |= {"CONTENT_LENGTH": str(body.tell()), "wsgi.input": body}
        body.seek(0)
    return ready
