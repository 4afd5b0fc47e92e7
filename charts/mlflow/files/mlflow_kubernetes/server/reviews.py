"""Runs what waits for the Kubernetes API server in threads, not in the event loop of a server process.

The plugin mlflow-kubernetes-plugins waits in its coroutines for reviews and for MLflow's database. In the
event loop, one slow answer would delay every request of the process, also `/health`.
"""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from anyio import CapacityLimiter, from_thread, to_thread

# Requests of a process that wait for the API server at a time. MLflow's own threads are not among them.
LIMITER = CapacityLimiter(32)
Method = Callable[..., Coroutine[Any, Any, Any]]


def in_a_thread(method: Method) -> Method:
    """Return `method` run by a thread. It may only await what `on_the_loop` returns."""

    @wraps(method)
    async def call(*arguments: Any, **named: Any) -> Any:
        return await to_thread.run_sync(_finish, method(*arguments, **named), limiter=LIMITER)

    return call


def on_the_loop(method: Method) -> Method:
    """Return `method`, which reads from a connection, run by the event loop while the thread waits."""

    @wraps(method)
    async def call(*arguments: Any, **named: Any) -> Any:
        return from_thread.run(partial(method, *arguments, **named))

    return call


def _finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that never waits for an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError(f"{coroutine.__qualname__} waits for the event loop")
