"""Asks the primary again for what the read replica does not have yet.

A client that reads what it has just written would get 404 otherwise, and so would a call for which MLflow
reads something, such as the experiment of a new run. Searches answer with what the replica has. Permissions
are checked by what the primary has.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# Calls that have changed nothing when they end with 404, and whose body Flask keeps.
PATHS = ("/api/", "/ajax-api/")
STREAMED = "/mlflow-artifacts/"

_on_primary = ContextVar("on_primary", default=False)
_lock = threading.Lock()


def on_primary() -> bool:
    """Whether reads of this call go to the primary."""
    return _on_primary.get()


def install(app: Any) -> None:
    """Let MLflow's Flask app check permissions on the primary, and repeat there a call that ends with 404."""
    if os.environ.get("MLFLOW_KUBERNETES_APP_NAME"):  # an app with accounts
        app.preprocess_request = _checking(app.preprocess_request)
    app.dispatch_request = _repeating(app.dispatch_request)


def _checking(step: Callable[..., Any]) -> Callable[..., Any]:
    """MLflow checks permissions before the call, and refuses one for a run that it does not find."""

    def run(*arguments: Any) -> Any:
        if not (_is_call() and _has_replica()):
            return step(*arguments)
        with _from_primary():
            return step(*arguments)

    return run


def _repeating(step: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        answer = step(*arguments)
        if getattr(answer, "status_code", None) != 404 or not (_is_call() and _has_replica()):
            return answer
        with _from_primary():
            return step(*arguments)

    return run


@contextmanager
def _from_primary() -> Iterator[None]:
    token = _on_primary.set(True)
    try:
        yield
    finally:
        _on_primary.reset(token)


def _is_call() -> bool:
    """Whether this is a call of the API that keeps its body."""
    from flask import request

    return STREAMED not in request.path and any(each in request.path for each in PATHS)


def _has_replica() -> bool:
    """Whether the stores have a replica; their reads then follow `on_primary`."""
    from mlflow.server import handlers

    return _route(handlers._get_tracking_store()) & _route(handlers._get_model_registry_store())


def _route(store: Any) -> bool:
    """Let a store's reads go to the primary on request; whether it has a replica."""
    if getattr(store, "read_engine", None) is None:
        return False
    with _lock:
        if not hasattr(store, "replica_sessions"):
            store.replica_sessions = sessions = store.ManagedSessionMaker
            store.ManagedSessionMaker = lambda read_only=True: sessions(
                read_only=read_only and not on_primary()
            )
    return True
