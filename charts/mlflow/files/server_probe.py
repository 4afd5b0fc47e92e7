"""The health check of a worker, answered by its main loop: a stuck database must not look like a dead pod."""

import os
import socket
from collections.abc import Callable
from typing import Any

from gunicorn import SERVER
from gunicorn.util import http_date
from werkzeug.test import Client


class Probe:
    """Answers `GET {prefix}/health` with `Connection: close`, which is how a kubelet asks.

    MLflow answers it without a thread too (`server_info_api.py`). The answer is the app's own, asked for
    once; every other form of the question takes the usual way. It has no request id: it has no log line.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        path = f"{os.environ.get('MLFLOW_STATIC_PREFIX', '')}/health"
        answer = Client(app).get(path)
        lines = [f"{name}: {value}\r\n" for name, value in answer.headers if name != "X-Request-ID"]
        self.question = f"GET {path} HTTP/1.1\r\n".encode()
        self.first_line = f"HTTP/1.1 {answer.status}\r\nServer: {SERVER}\r\n"
        self.rest = f"Connection: close\r\n{''.join(lines)}\r\n".encode() + answer.data

    def answered(self, sock: socket.socket) -> bool:
        """Answer if the bytes that wait on this fresh connection are the whole question."""
        head = sock.recv(4096, socket.MSG_PEEK)
        if not head.startswith(self.question) or not head.endswith(b"\r\n\r\n"):
            return False
        if b"\r\nconnection: close\r\n" not in head.lower():
            return False
        sock.recv(len(head))
        sock.sendall(f"{self.first_line}Date: {http_date()}\r\n".encode() + self.rest)
        return True
