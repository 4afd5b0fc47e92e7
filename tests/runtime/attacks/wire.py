"""Raw requests over a socket, and the answers to them, byte for byte."""

import base64
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from runtime.server import Server

# The smallest request of a user that every route table has, and one with a body that reads the database.
SEARCH = "/api/2.0/mlflow/experiments/search"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
TRACES = "/v1/traces"
JSON = {"Content-Type": "application/json"}


@dataclass
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def closes(self) -> bool:
        """Whether it says that the connection ends."""
        return self.headers.get("connection", "").lower() == "close"

    @property
    def id(self) -> str:
        """The id of the request that it answers."""
        return self.headers.get("x-request-id", "")

    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


class Garbage(AssertionError):
    """What the server sent is not a response."""


@dataclass
class Wire:
    """A connection to a port of this machine."""

    port: int
    timeout: float = 30
    receive_buffer: int = 0
    left: bytes = b""
    sock: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(self.timeout)
        if self.receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.sock.connect(("127.0.0.1", self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> bool:
        """Send bytes; returns whether the server still takes them."""
        try:
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def end_of_requests(self) -> None:
        """Close the client's half of the connection; the other half still takes answers."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def _more(self) -> bool:
        """Read what there is; False at the end of the connection. Raises TimeoutError."""
        try:
            data = self.sock.recv(1 << 18)
        except (ConnectionError, BrokenPipeError):
            return False
        self.left += data
        return bool(data)

    def answer(self, method: str = "GET") -> Answer | None:
        """The next response, or None if the connection ends without one. Raises TimeoutError."""
        while b"\r\n\r\n" not in self.left:
            if not self._more():
                if self.left:
                    raise Garbage(self.left[:300])
                return None
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        if not first.startswith("HTTP/1."):
            raise Garbage(head[:300])
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        found = Answer(int(first.split()[1]), headers)
        if method != "HEAD" and found.status >= 200 and found.status not in (204, 304):
            found.body = self._body(headers)
        return found

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        if "content-length" in headers:
            return self._take(int(headers["content-length"]))
        while self._more():
            pass
        whole, self.left = self.left, b""
        return whole

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = int(self._line(), 16)
            yield self._take(size)
            self._line()
            if not size:
                return

    def _line(self) -> bytes:
        while b"\r\n" not in self.left:
            if not self._more():
                raise Garbage("a chunk was cut off")
        line, _, self.left = self.left.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        parts, missing = [self.left], size - len(self.left)
        self.left = b""
        while missing > 0:
            if not self._more():
                raise Garbage(f"a body was cut off {missing} bytes before its end")
            parts.append(self.left)
            missing -= len(self.left)
            self.left = b""
        whole = b"".join(parts)
        whole, self.left = whole[:size], whole[size:]
        return whole

    def final(self, method: str = "GET") -> Answer | None:
        """The next response that is not `100 Continue`."""
        while (found := self.answer(method)) and found.status < 200:
            assert found.status == 100, found
        return found

    def all(self, seconds: float = 5) -> tuple[list[Answer], bool]:
        """All responses within the time, and whether the connection ended."""
        deadline, found = time.monotonic() + seconds, list[Answer]()
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.sock.settimeout(left)
                answer = self.answer()
                if answer is None:
                    return found, True
                found.append(answer)
        except TimeoutError:
            pass
        return found, False

    def ended(self, seconds: float = 5) -> bool:
        """Whether the server ends the connection in time. What it sends until then is thrown away."""
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.sock.settimeout(left)
                if not self._more():
                    return True
                self.left = b""
        except TimeoutError:
            pass
        return False


def basic(account: tuple[str, str]) -> str:
    """The value of `Authorization` for a user and a password."""
    return "Basic " + base64.b64encode(":".join(account).encode()).decode()


def http(
    method: str,
    target: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    account: tuple[str, str] | None = None,
    host: str | None = "localhost",
) -> bytes:
    """The bytes of a request; a body gets its Content-Length."""
    lines = [f"{method} {target} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    if account:
        lines.append(f"Authorization: {basic(account)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunk(data: bytes) -> bytes:
    """One chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def ask(server: Server, data: bytes, method: str = "GET", timeout: float = 60) -> Answer | None:
    """Send bytes on a connection of their own and return the first answer."""
    with Wire(server.port, timeout) as wire:
        wire.send(data)
        return wire.final(method)


def canary(name: str, account: tuple[str, str] | None = None, **headers: str) -> bytes:
    """A request that is recognised by its id in the answer."""
    return http("GET", "/version", headers={"X-Request-ID": name, **headers}, account=account)


@contextmanager
def many(server: Server, count: int, data: bytes = b"", receive_buffer: int = 0) -> Iterator[list[Wire]]:
    """Connections on which the same bytes were sent."""
    wires: list[Wire] = []
    try:
        for _ in range(count):
            wires.append(Wire(server.port, receive_buffer=receive_buffer))
            wires[-1].send(data)
        yield wires
    finally:
        for wire in wires:
            wire.sock.close()
