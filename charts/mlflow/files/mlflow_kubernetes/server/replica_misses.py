"""Asks the primary again for what the read replica does not have yet.

A client that reads what it has just written would get 404 otherwise, and so would a call for which MLflow
reads something, such as the experiment of a new run. Searches answer with what the replica has.
"""

import threading
from collections.abc import Callable
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
    """Let MLflow's Flask app repeat a call that ends with 404."""
    app.dispatch_request = _repeating(app.dispatch_request)


def _repeating(step: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        answer = step(*arguments)
        if getattr(answer, "status_code", None) != 404 or not _may_repeat():
            return answer
        token = _on_primary.set(True)
        try:
            return step(*arguments)
        finally:
            _on_primary.reset(token)

    return run


def _may_repeat() -> bool:
    """Whether this is a call of the API, on stores that have a replica."""
    from flask import request
    from mlflow.server import handlers

    if STREAMED in request.path or not any(each in request.path for each in PATHS):
        return False
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
