"""A small Kubernetes API over HTTP: it serves the objects it was given, and notes the writes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.web import serving

Json = dict[str, Any]
Answer = Json | str | int | Callable[[], Json]


class FakeApi:
    """An API server on loopback.

    Attributes:
        answers: What a GET of a path returns: JSON, text, an error status, or a function that returns JSON.
        status: Error status of a POST, PATCH or DELETE by its path.
        writes: Method, path and body of each write.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.status: dict[str, int] = {}
        self.writes: list[tuple[str, str, Json]] = []
        self.queries: list[str] = []

    @contextmanager
    def current(self, kubeconfig: Path, ipv6: bool = False) -> Iterator[None]:
        """Run the server, and write a kubeconfig whose current context it is."""
        with serving(self._handler(), ipv6) as url:
            self._write(kubeconfig, url)
            yield

    def _write(self, kubeconfig: Path, url: str) -> None:
        config = {
            "clusters": [{"name": "fake", "cluster": {"server": url}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me"}}],
            "users": [{"name": "me", "user": {}}],
            "current-context": "fake",
        }
        kubeconfig.write_text(json.dumps(config))

    def _handler(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path)
                api.queries.append(path.query)
                answer = api.answers.get(path.path, 404)
                self._answer(answer() if callable(answer) else answer)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = urlsplit(self.path).path
                api.writes.append((self.command, path, body))
                self._answer(api.status.get(path, body))

            do_PATCH = do_DELETE = do_POST

            def _answer(self, answer: Json | str | int) -> None:
                status = answer if isinstance(answer, int) else 200
                if isinstance(answer, int):
                    answer = {"kind": "Status", "message": f"status {status}"}
                text = answer if isinstance(answer, str) else json.dumps(answer)
                self.send_response(status)
                kind = "text/plain" if isinstance(answer, str) else "application/json"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None: ...

        return Handler
