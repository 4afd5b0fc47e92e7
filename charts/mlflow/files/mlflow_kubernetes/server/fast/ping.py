"""The check of a pooled connection before its use. MLflow's pool sends a query, which costs a round trip."""

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_without_query = threading.local()


def install(store: Any) -> None:
    """Let `by_socket` change how the engines of MLflow's store check their connections."""
    for engine in {store.engine, store.read_engine or store.engine}:
        _install(engine)


def _install(engine: Any) -> None:
    with_query = engine.dialect.do_ping

    def ping(connection: Any) -> bool:
        by_socket = getattr(_without_query, "on", False)
        return bool((by_socket and not _has_news(connection)) or with_query(connection))

    engine.dialect.do_ping = ping


@contextmanager
def by_socket() -> Iterator[None]:
    """Check connections without a query in this thread: the socket of an idle one is silent until its end.

    A statement may still fail on a connection that a firewall has dropped, so use it for those only that
    MLflow's own code may repeat.
    """
    _without_query.on = True
    try:
        yield
    finally:
        _without_query.on = False


def _has_news(connection: Any) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLRDHUP)
    return bool(poll.poll(0))
