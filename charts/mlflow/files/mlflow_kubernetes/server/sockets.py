"""One listening socket for each worker, on the same port.

Behind one shared socket, the worker that wakes first takes nearly all kept-alive connections and the others
idle. With a socket for each (SO_REUSEPORT) the kernel spreads them. They belong to the parent, so that what
waits in the queue of a worker that crashed is served by the one that follows it.
"""

import socket
from typing import Any


def listen(host: str, port: int, count: int) -> list[str]:
    """Open the sockets, and name them as gunicorn's `bind` takes them."""
    six = ":" in host
    options: dict[str, Any] = {
        "family": socket.AF_INET6 if six else socket.AF_INET,
        "dualstack_ipv6": six and socket.has_dualstack_ipv6(),
        "reuse_port": True,
        "backlog": 2048,
    }
    return [f"fd://{socket.create_server((host, port), **options).detach()}" for _ in range(count)]


def give_one(arbiter: Any, worker: Any) -> None:
    """Before the fork: the worker gets the socket that no other has (or shares one, if told to be more)."""
    taken = [each for sibling in arbiter.WORKERS.values() for each in sibling.sockets]
    worker.sockets = [next((each for each in arbiter.LISTENERS if each not in taken), arbiter.LISTENERS[0])]


def drop_others(arbiter: Any, worker: Any) -> None:
    """In the worker: a socket closes, and gets no more connections, when the last process closes it."""
    for each in arbiter.LISTENERS:
        if each not in worker.sockets:
            each.close()
