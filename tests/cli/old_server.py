"""Stands in front of a real server and hides the stages, as a future MLflow will."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from cli.web import serving


@contextmanager
def without_stages(server: str) -> Iterator[str]:
    """Yield the address of a proxy that answers 404 to changes of stages, and passes on the rest."""

    class Proxy(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "transition-stage" in self.path:
                self._reply(404, b"Not Found", "text/plain")
                return
            headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
            real = requests.request(self.command, server + self.path, data=body, headers=headers, timeout=60)
            self._reply(real.status_code, real.content, real.headers.get("Content-Type", "text/plain"))

        def _reply(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with serving(Proxy) as address:
        yield address
