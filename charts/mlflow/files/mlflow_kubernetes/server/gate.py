"""The gate: an ASGI app around MLflow's, which sees each request first, under both launchers.

It refuses requests that no legitimate client sends, limits bodies, gives each request an id, writes the
access log and the audit log, and closes a connection whose request was not read to its end.
"""

import asyncio
import logging
import os
import re
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlflow_kubernetes.addresses import plain
from mlflow_kubernetes.log import context
from mlflow_kubernetes.log.formatters import JsonFormatter, as_json
from mlflow_kubernetes.server.audit.audit_log import AuditLog
from mlflow_kubernetes.server.rules import Refusal, Rules

App = Callable[..., Any]

# Touched by the pod's preStop hook: the pod is being taken out of its Service.
LEAVING = Path(os.environ.get("MLFLOW_KUBERNETES_LEAVING_FILE", "/tmp/leaving"))  # noqa: S108
# Limits, in seconds and bytes, for reading the rest of a refused request.
REST_SECONDS = 3.0
REST_BYTES = 1 << 20
# The client address that MLflow sees for every request. No host has it (RFC 5737), so no client looks local.
CLIENT_PLACEHOLDER = ("192.0.2.1", 0)
# Request ids that are accepted from proxies and tracers. Any other could forge log lines, and is replaced.
VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# nginx's status for a client that disconnected before the answer.
GONE = 499
# Paths that probes and Prometheus request every few seconds. The access log leaves them out.
UNLOGGED_PATHS = ("/health", "/metrics")
# Dropped: headers that claim another address, scheme, host, path or method than those of the request.
DROPPED_HEADERS = re.compile(
    rb"forwarded|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|x-cluster-client-ip|x-original-.*|x-rewrite-.*"
    rb"|script-name|x-script-name|x-http-method(-override)?|x-method-override|proxy|.*[^a-z0-9-].*"
)
TEXT_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]

_access = logging.getLogger("mlflow.access")
_logger = logging.getLogger("mlflow.server")


class Gate:
    """An ASGI app with rules in front of it."""

    def __init__(self, app: App, audit: AuditLog | None = None) -> None:
        self.app = app
        self.audit = audit
        self.rules = Rules()
        self.logs = os.environ.get("MLFLOW_KUBERNETES_ACCESS_LOG") == "true"
        self.stopping = False
        self.in_progress = 0
        self.last_request = 0.0
        if self.logs:
            _log_to_stdout()

    async def __call__(self, scope: dict[str, Any], receive: App, send: App) -> None:
        """Check a request, pass it to MLflow, and log it."""
        if scope["type"] != "http":  # lifespan events; nothing else is served
            await self.app(scope, receive, send)
            return
        exchange = Exchange(self, scope, receive, send)
        self.in_progress += 1
        try:
            await exchange.run()
        finally:
            self.in_progress -= 1
            self.last_request = time.monotonic()
            exchange.log()

    def is_leaving(self) -> bool:
        """Return whether clients should connect to another pod."""
        return self.stopping or os.access(LEAVING, os.F_OK)


class Exchange:
    """One request and its answer."""

    def __init__(self, gate: Gate, scope: dict[str, Any], receive: App, send: App) -> None:
        self.gate = gate
        self.began = time.monotonic()
        self.given = scope
        self.call = gate.audit.begin(scope) if gate.audit else None
        self.client = plain((scope.get("client") or ("",))[0])
        headers = [each for each in scope["headers"] if not DROPPED_HEADERS.fullmatch(each[0])]
        given = b"".join(value for name, value in headers if name == b"x-request-id").decode("latin-1")
        self.id = given if VALID_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        headers = [each for each in headers if each[0] != b"x-request-id"]
        headers.append((b"x-request-id", self.id.encode()))
        self.scope = {**scope, "headers": headers, "client": CLIENT_PLACEHOLDER}
        self.limit = gate.rules.limit(scope["path"])
        names = dict(headers)
        self.length = int(names.get(b"content-length", 0))
        # Whether a part of the body has not been read yet, and whether the client waits before it sends any.
        self.unread = self.length > 0 or b"transfer-encoding" in names
        self.holds_back = b"expect" in names
        self._receive, self._send = receive, send
        self._reading = asyncio.Lock()
        self.gone = self.refused = False
        self.status = self.read = self.sent = 0

    async def run(self) -> None:
        """Answer the request with MLflow's answer or with a refusal."""
        context.request_id.set(self.id)
        context.client.set(self.client)
        refusal = self.gate.rules.refusal(self.scope["method"], self.scope["path"], self.scope["headers"])
        if refusal is None and self.limit is not None and self.length > self.limit:
            refusal = self._too_large()
        if refusal:
            await self.refuse(refusal)
            return
        try:
            await self.gate.app(self.scope, self.receive, self.send)
        except Exception:
            if not (self.gone or self.refused):
                self.status = self.status or 500
                raise  # to uvicorn, which logs it and answers 500

    async def receive(self) -> dict[str, Any]:
        """The next part of the body, for MLflow."""
        async with self._reading:
            message: dict[str, Any] = await self._receive()
        self.holds_back = False
        if message["type"] == "http.disconnect":
            self.gone = True
            return message
        self.unread = bool(message.get("more_body"))
        self.read += len(message.get("body", b""))
        if self.call is not None:
            self.call.keep(message.get("body", b""))
        if self.limit is not None and self.read > self.limit and not self.refused:
            await self.refuse(self._too_large())
        return {"type": "http.disconnect"} if self.refused else message

    async def send(self, message: dict[str, Any]) -> None:
        """The next part of MLflow's answer."""
        if not self.refused:
            await self._answer(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer in MLflow's place, if it has not begun to."""
        if refusal.why:
            _logger.warning("Refused a request: %s is not allowed.", refusal.why)
        self.refused = True
        body = refusal.words.encode()
        if not self.status:
            headers = [*TEXT_HEADERS, (b"content-length", b"%d" % len(body))]
            await self._answer({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await self._answer({"type": "http.response.body", "body": body})

    async def _answer(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._read_rest()
            headers = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
            # Checked only now, because the pod may have begun to leave during an upload.
            if self.unread or self.gate.is_leaving():
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)

    async def _read_rest(self) -> None:
        """Read the rest of the request, within limits.

        Proxies written in Go, Traefik among them, cut off an answer that comes before the end of its request.
        """
        deadline, most = time.monotonic() + REST_SECONDS, self.read + REST_BYTES
        while self.unread and not (self.gone or self.holds_back) and self.read < most:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            if self._reading.locked():  # MLflow is reading
                await asyncio.sleep(0.02)
                continue
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._skip(), left)

    async def _skip(self) -> None:
        async with self._reading:
            message = await self._receive()
        self.gone = message["type"] == "http.disconnect"
        self.unread = bool(message.get("more_body"))
        self.read += len(message.get("body", b""))

    def _too_large(self) -> Refusal:
        most = (self.limit or 0) >> 20
        return Refusal(
            413, f"The request body is larger than {most} MiB; mlflow.maxRequestBodyMiB is the limit."
        )

    def log(self) -> None:
        """Log one line about a request, without its query, headers and body, which may hold secrets."""
        if self.gate.audit and self.call:
            self.gate.audit.end(self.call, self.given, self.scope.get("state"), self.status or GONE, self.id)
        path = self.scope["path"]
        if not self.gate.logs or path.endswith(UNLOGGED_PATHS):
            return
        fields = {
            "method": self.scope["method"],
            "path": path,
            "status": self.status or GONE,
            "milliseconds": round((time.monotonic() - self.began) * 1000),
            "bytes": self.sent,
            "client": self.client,
        }
        line = "%(method)s %(path)r %(status)s %(milliseconds)d ms %(bytes)d bytes to %(client)s"
        text = line % fields
        _access.info(text if as_json() else f"{text} {self.id}", extra={"fields": fields})


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.__stdout__)
    handler.setFormatter(
        JsonFormatter() if as_json() else logging.Formatter("[%(asctime)s] [%(process)d] %(message)s")
    )
    _access.handlers, _access.propagate = [handler], False
    _access.setLevel(logging.INFO)
