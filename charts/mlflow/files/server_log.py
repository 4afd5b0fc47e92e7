"""The server's log: its form, the id of each request, and a line for each request if asked for."""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import say
from gunicorn.glogging import Logger

# Ids of proxies and tracers. Anything else could forge lines, so it gets an id of ours.
GOOD_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# Asked every few seconds by machines.
QUIET = ("/health", "/metrics")


class RequestLog(Logger):
    """gunicorn's log in the chosen form. No line holds a query, a header or a body: they may hold secrets."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        say.shape_logs()

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """One answered request."""
        path = environ["PATH_INFO"]
        if not self.cfg.accesslog or path.endswith(QUIET):
            return
        fields = {
            "method": environ["REQUEST_METHOD"],
            "path": path.encode("latin-1").decode("utf-8", "replace"),
            "status": resp.status_code,
            "milliseconds": round(request_time.total_seconds() * 1000),
            "bytes": resp.sent,
            "client": environ.get("REMOTE_ADDR", ""),
        }
        line = "%(method)s %(path)r %(status)s %(milliseconds)d ms %(bytes)d bytes to %(client)s"
        text = line % fields
        if not say.as_json():
            text += f" {environ['HTTP_X_REQUEST_ID']}"
        self.access_log.info(text, extra={"fields": fields})


class Identified:
    """A WSGI app whose requests have an id: in its log lines, and in the answer for the client's."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        mine = given if GOOD_ID.fullmatch(given) else uuid.uuid4().hex
        environ["HTTP_X_REQUEST_ID"] = mine
        say.request_id.set(mine)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Request-ID", mine)], exc_info)

        return self.app(environ, start)
