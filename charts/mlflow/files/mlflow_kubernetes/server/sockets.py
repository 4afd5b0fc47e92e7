"""One listening socket for each worker, on the same port.

Behind one shared socket, the worker that wakes first takes nearly all kept-alive connections and the others
idle. With a socket for each (SO_REUSEPORT) the kernel spreads them. The parent owns them, so the
connections in the queue of a worker that crashed are served by the worker that replaces it.
"""

import socket
from typing import Any


def listen(host: str, port: int, count: int) -> list[str]:
    """Open the sockets, and return their names in the form of gunicorn's `bind`."""
    six = ":" in host
    options: dict[str, Any] = {
        "family": socket.AF_INET6 if six else socket.AF_INET,
        "dualstack_ipv6": six and socket.has_dualstack_ipv6(),
        "reuse_port": True,
        "backlog": 2048,
    }
    return [f"fd://{socket.create_server((host, port), **options).detach()}" for _ in range(count)]


def assign_socket(arbiter: Any, worker: Any) -> None:
    """Give the worker a socket that no other has; an extra worker shares one. Called before the fork."""
    taken = [each for sibling in arbiter.WORKERS.values() for each in sibling.sockets]
    worker.sockets = [next((each for each in arbiter.LISTENERS if each not in taken), arbiter.LISTENERS[0])]


def close_other_sockets(arbiter: Any, worker: Any) -> None:
    """Close the other sockets in the worker: one is closed only when every process has closed it."""
    for each in arbiter.LISTENERS:
        if each not in worker.sockets:
            each.close()
