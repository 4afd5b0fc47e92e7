"""Runs a small web server of the process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class _OnIPv6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], ipv6: bool = False) -> Iterator[str]:
    """Run a server on loopback; yield its address."""
    kind = _OnIPv6 if ipv6 else ThreadingHTTPServer
    server = kind(("::1" if ipv6 else "127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://{'[::1]' if ipv6 else '127.0.0.1'}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
