"""uvicorn's HTTP/1.1 protocol with limits on the size of a head, on silence and on the number of connections.

llhttp, the parser below it, decides where a message ends. So bytes after a broken or unread body are never
taken for a request, and a client never gets the answer to another request.
"""

import re
import socket
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mlflow_kubernetes.server.edge.limits import (
    BODY_SECONDS,
    GOODBYE_SECONDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEAD,
    MAX_LINE,
)
from mlflow_kubernetes.server.edge.transport import GracefulTransport
from mlflow_kubernetes.server.edge.watch import Watch

METHOD = re.compile(rb"\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+ ?")

SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    # Milliseconds without an acknowledgement after which the peer is gone.
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


class Protocol(HttpToolsProtocol):
    """One connection."""

    transport: Any
    watch: Watch

    def connection_made(self, transport: Any) -> None:
        """Set the options and the limits of a new connection."""
        sock = transport.get_extra_info("socket")
        for level, option, value in SOCKET_OPTIONS:
            try:
                sock.setsockopt(level, option, value)
            except OSError:  # the client has disconnected, or the kernel lacks the option
                break
        super().connection_made(GracefulTransport(transport))
        self.progress = self.loop.time()
        self.unsent = 0
        self.head_began: float | None = None
        self.head_size = 0
        self.headers_done = self.url_done = True
        state: Any = self.server_state
        if not hasattr(state, "watch"):
            state.watch = Watch(self.loop)
        self.watch = state.watch
        self.watch.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        self.watch.connections.pop(self, None)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.pipeline.clear()

    def eof_received(self) -> bool:
        """The client sends nothing more: it still gets the answer to a request that is complete."""
        self.transport.ended = True
        if self.transport.closing or not self.is_answering() or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        return True

    def is_answering(self) -> bool:
        """Return whether a request has arrived whose answer is not complete."""
        return self.cycle is not None and not self.cycle.response_complete

    def check(self, now: float) -> None:
        """End the connection if the other side has made no progress for too long."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self.unsent:
            self.unsent, self.progress = unsent, now
        silent = now - self.progress
        if self.transport.is_closing():
            if silent > (BODY_SECONDS if unsent else GOODBYE_SECONDS):
                self.transport.abort()
        elif self.is_answering():
            waits = self.cycle.more_body and not self.flow.read_paused
            if silent > BODY_SECONDS and (waits or self.flow.write_paused):
                self.transport.abort()
        elif self.head_began is not None:
            if now - self.head_began > HEAD_SECONDS:
                self.refuse(408)
        elif silent > IDLE_SECONDS:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, whose callbacks start requests."""
        if self.transport.is_closing():
            return
        self.progress = self.loop.time()
        self.watch.connections.move_to_end(self)
        self._unset_keepalive_if_required()
        if self.head_began is None and not self.is_answering():
            self.head_began, self.head_size = self.progress, 0
        self.head_size += len(data)
        while data:
            data = self._parse(data)
        if self.head_began is not None and self.head_size > MAX_HEAD:
            self.refuse(431 if self.url_done else 414)

    def _parse(self, data: bytes) -> bytes:
        """Feed the parser, and return the bytes to parse again."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self.transport.is_closing():
                return self._without_upgrade() + data[upgrade.args[0] :]
        except httptools.HttpParserInvalidMethodError:
            self.refuse(501 if METHOD.match(data) else 400)
        except httptools.HttpParserError:
            self.refuse(400)
        return b""

    def _without_upgrade(self) -> bytes:
        """Return the head again, for a new parser: the request is served, without another protocol."""
        self.parser = httptools.HttpRequestParser(self)
        version = self.scope["http_version"].encode()
        lines = [b"%s %s HTTP/%s" % (self.method, self.url, version)]
        lines += [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    # Callbacks of the parser.
    def on_message_begin(self) -> None:
        """Reset what is known of a request."""
        super().on_message_begin()
        self.headers_done = self.url_done = False
        self.upgrades = False
        self.too_large = 0
        if self.head_began is None:
            self.head_began, self.head_size = self.progress, 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the URL, up to the limit."""
        if len(self.url) + len(url) > MAX_LINE:
            self.too_large = self.too_large or 414
        else:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header field, up to the limits."""
        self.url_done = True
        if self.headers_done:  # a trailer field, which must not become a header
            return
        if len(name) + len(value) > MAX_FIELD or len(self.headers) >= MAX_FIELDS:
            self.too_large = self.too_large or 431
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, or refuse it."""
        self.headers_done = True
        self.head_began = None
        if self.transport.is_closing():
            return
        refusal = self.too_large or self._wrong_head()
        if refusal:
            self.refuse(refusal)
        elif self.parser.should_upgrade():
            self.upgrades, self.method = True, self.parser.get_method()
            self.scope["http_version"] = self.parser.get_http_version()
        else:
            super().on_headers_complete()

    def _wrong_head(self) -> int:
        """Return the status for a head that llhttp accepts but that is ambiguous; 0 for a good head."""
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            return 505
        hosts = [value for name, value in self.headers if name == b"host"]
        encodings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if len(hosts) > 1 or (not hosts and version == "1.1") or (encodings and version == "1.0"):
            return 400
        if not self.url.startswith(b"/") or b"#" in self.url:
            return 400
        # CONNECT is an upgrade by itself, which `_without_upgrade` could never end.
        return 501 if encodings not in ([], [b"chunked"]) or self.parser.get_method() == b"CONNECT" else 0

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        if not self._ignored():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Mark the end of the request."""
        if not self._ignored():
            super().on_message_complete()

    def _ignored(self) -> bool:
        return self.transport.is_closing() or self.upgrades or self.cycle is None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer 400, and close."""
        self.refuse(400)

    def refuse(self, status: int) -> None:
        """Answer a broken request, unless the answer could be taken for another one's, and close."""
        if self.transport.is_closing():
            return
        broken = self.head_began is None  # in a body
        self.head_began = None
        answering = self.is_answering()
        if answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        started = self.cycle is not None and self.cycle.response_started
        if not (started if broken else answering):
            self.transport.write(STATUS_LINE[status] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()

    def shutdown(self) -> None:
        """Close an idle connection now, and a busy one after its answer, because the worker stops."""
        if self.is_answering():
            self.cycle.keep_alive = False
        else:
            self.transport.transport.close()
