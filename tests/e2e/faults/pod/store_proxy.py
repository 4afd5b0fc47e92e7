"""A way to an object store that can go wrong: store_proxy.py HOST PORT, serving at port 8333.

/tmp/mode says how: `fine`, `slow` (each request waits 2 s), or a status such as `403` or `503` to answer
every request with, as S3 does. Bytes of the connection pass unchanged, so signatures stay valid.
"""

import contextlib
import socket
import socketserver
import sys
import threading
import time
from pathlib import Path

STORE = (sys.argv[1], int(sys.argv[2]))
MODE = Path("/tmp/mode")
CODES = {"403": "AccessDenied", "503": "SlowDown", "507": "InsufficientStorage"}


def refusal(status):
    body = f"<?xml version='1.0'?><Error><Code>{CODES[status]}</Code><Message>no</Message></Error>"
    head = f"HTTP/1.1 {status} no\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n{body}".encode()


def body_length(head):
    """How many bytes follow the head of a request; 0 if it does not say."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def pump(source, target):
    """Pass bytes on until one side ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        mode = MODE.read_text().strip()
        if mode in CODES:
            self.refuse(mode)
            return
        with socket.create_connection(STORE) as store:
            back = threading.Thread(target=self.answers, args=(store,))
            back.start()
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    if MODE.read_text().strip() != mode:
                        break  # the client takes a new connection, in the new mode
                    if mode == "slow" and b" HTTP/1.1\r\n" in data:
                        time.sleep(2)
                    store.sendall(data)
            with contextlib.suppress(OSError):
                store.shutdown(socket.SHUT_RDWR)
            back.join()

    def answers(self, store):
        pump(store, self.request)

    def refuse(self, status):
        """Read one request whole, as a store does, and refuse it."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.request.recv(65536)
            if not more:
                return
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        if b"100-continue" not in head.lower():
            left = body_length(head) - len(body)
            while left > 0 and (more := self.request.recv(65536)):
                left -= len(more)
        self.request.sendall(refusal(status))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


MODE.write_text("fine")
with Server(("", 8333), Connection) as server:
    server.serve_forever()
