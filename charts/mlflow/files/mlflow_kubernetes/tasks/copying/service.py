"""Takes orders over HTTP on the loopback address; each answer is lines of JSON, the last one its end."""

import json
import time
from collections.abc import Callable, Generator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.stores.database import Unreachable
from mlflow_kubernetes.tasks.copying.orders import Orders
from mlflow_kubernetes.tasks.task import TaskError

log = logger("copy")
MAX_BYTES = 64 << 20
Answer = Generator[dict[str, Any], None, None]


class Service(ThreadingHTTPServer):
    """The server, and when it last had something to do."""

    daemon_threads = True

    def __init__(self, orders: Orders, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.orders = orders
        self.working = 0
        self.last = time.monotonic()
        self.ended = False


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Service
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Carry out the order that the path names."""
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BYTES:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        self.server.working += 1
        try:
            self._answer(self._order(url.path.strip("/")), dict(parse_qsl(url.query)), body)
        finally:
            self.server.working -= 1
            self.server.last = time.monotonic()

    def log_message(self, format: str, *args: Any) -> None:
        """Log no requests."""

    def _order(self, name: str) -> Callable[..., Answer]:
        if name == "end":
            return self._end
        found: Callable[..., Answer] | None = getattr(self.server.orders, f"order_{name}", None)
        return found or self._unknown

    def _answer(self, order: Callable[..., Answer], options: dict[str, str], body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        lines = order(body, **options)
        try:
            for line in lines:
                self._line(line)
        except (TaskError, Unreachable) as error:
            log.error(error)
            self._line({"error": str(error).rstrip(".")})
        except ConnectionError:  # the client has gone
            raise
        except Exception as error:
            log.exception(error)
            # What a database says, without SQLAlchemy's own words around it.
            wrong = " ".join(str(getattr(error, "orig", None) or error).split())[:500]
            self._line({"error": f"{type(error).__name__}: {wrong}"})
        finally:
            lines.close()  # a copy whose client has left is undone
        self.wfile.write(b"0\r\n\r\n")

    def _line(self, line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _end(self, _: bytes) -> Answer:
        self.server.ended = True
        yield {"done": {}}

    def _unknown(self, _: bytes, **__: str) -> Answer:
        raise TaskError(f"{self.path.partition('?')[0]} is not a command of this chart; upgrade the release")
        yield


def serve(orders: Orders, port: int, idle_seconds: float) -> int:
    """Serve until the order `end`, or until nothing was ordered for so long; the exit code."""
    with Service(orders, port) as service:
        service.timeout = 1
        log.info("waiting for orders of `mlflowops copy`.")
        while not service.ended:
            service.handle_request()
            if not service.working and time.monotonic() - service.last > idle_seconds:
                log.error(f"no order for {idle_seconds:.0f} s: `mlflowops copy` has gone; run it again.")
                return 1
        while service.working:
            time.sleep(0.05)
    return 0
