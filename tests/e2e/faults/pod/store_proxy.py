"""A way to an object store that can go wrong: store_proxy.py HOST PORT, at port 8333, and with TLS at 8443.

/tmp/mode says how: `fine`, `slow` (each request waits 2 s), or a status such as `403` or `503` to answer
every request with, as S3 does. Bytes of the connection pass unchanged, so signatures stay valid.
/certificate may have a tls.crt and a tls.key; new ones count for new connections.
"""

import asyncio
import contextlib
import socket
import socketserver
import ssl
import sys
import threading
import time
from pathlib import Path

STORE = (sys.argv[1], int(sys.argv[2]))
MODE = Path("/tmp/mode")
CERTIFICATE, KEY = Path("/certificate/tls.crt"), Path("/certificate/tls.key")
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


async def pass_on(reader, writer):
    """All bytes of a stream, to its end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def unwrap(reader, writer):
    """A connection without its TLS, to the port without."""
    from_way, to_way = await asyncio.open_connection("127.0.0.1", 8333)
    await asyncio.gather(pass_on(reader, to_way), pass_on(from_way, writer))


async def serve_tls():
    """With the newest certificate, as soon as there is one."""
    context, server, used = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), None, ""
    while True:
        newest = CERTIFICATE.read_text() if CERTIFICATE.exists() else ""
        if newest != used:
            context.load_cert_chain(CERTIFICATE, KEY)
            server, used = server or await asyncio.start_server(unwrap, "", 8443, ssl=context), newest
        await asyncio.sleep(0.2)


MODE.write_text("fine")
threading.Thread(target=asyncio.run, args=(serve_tls(),), daemon=True).start()
with Server(("", 8333), Connection) as server:
    server.serve_forever()
