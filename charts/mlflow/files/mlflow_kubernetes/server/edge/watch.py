"""Close connections that are overdue, and the longest silent one if there are too many."""

from collections import OrderedDict
from typing import Any, Protocol

from mlflow_kubernetes.server.edge.limits import max_connections


class Connection(Protocol):
    """What Watch needs of a connection."""

    transport: Any

    def is_answering(self) -> bool:
        """Return whether a request has arrived whose answer is not complete."""

    def check(self, now: float) -> None:
        """End it if it is overdue."""


class Watch:
    """The connections of one worker, in the order of their last bytes. Checks all of them every second."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.limit = max_connections()
        self.connections: OrderedDict[Connection, None] = OrderedDict()
        self.newest = 0.0
        self.scheduled = False

    def add(self, connection: Connection) -> None:
        """Add a connection, and close the longest silent one if there are too many."""
        self.newest = self.loop.time()
        self.connections[connection] = None
        if len(self.connections) > self.limit:
            self.longest_silent().transport.abort()
        if not self.scheduled:
            self.scheduled = True
            self.loop.call_later(1, self.check_all)

    def longest_silent(self) -> Connection:
        """Return the connection to close: one that waits for an answer only if all do."""
        idle = (each for each in self.connections if not each.is_answering())
        return next(idle, next(iter(self.connections)))

    def check_all(self) -> None:
        """Close the connections that are overdue."""
        now = self.loop.time()
        for connection in list(self.connections):
            connection.check(now)
        self.scheduled = bool(self.connections)
        if self.scheduled:
            self.loop.call_later(1, self.check_all)
