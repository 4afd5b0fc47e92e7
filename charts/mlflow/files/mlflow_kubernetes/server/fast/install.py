"""Puts the fast paths in the place of MLflow's own, where tested; else MLflow's own code answers."""

import contextvars
import functools
import os
from collections.abc import Callable
from typing import Any

from mlflow_kubernetes.server.fast import ping, reads, runs, spans, views, writes
from mlflow_kubernetes.server.fast.fallbacks import Fallbacks
from mlflow_kubernetes.server.fast.unusual import Unusual
from mlflow_kubernetes.tested import TESTED

STORE_METHODS: dict[str, Callable[..., Any]] = {
    "create_run": runs.create_run,
    "update_run_info": runs.update_run_info,
    "log_metric": writes.log_metric,
    "log_param": writes.log_param,
    "set_tag": writes.set_tag,
    "log_batch": writes.log_batch,
}
# True while Flask's view of runs/get or runs/search runs, whose answer may be text. GraphQL calls the same
# functions and needs messages.
_may_write_text = contextvars.ContextVar("may_write_text", default=False)


class Text:
    """An answer that is JSON text already, where MLflow expects a message."""

    def __init__(self, text: str) -> None:
        self.text = text


def install(flask: Any) -> str:
    """Install the fast paths. Call it before the fork.

    Args:
        flask: MLflow's Flask app.

    Returns:
        Why they stay off, or "".
    """
    from mlflow.server import handlers
    from mlflow.store.tracking import sqlalchemy_store as own
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.version import VERSION

    if (os.environ.get("MLFLOW_KUBERNETES_FAST_PATHS") or "true") != "true":
        return "switched off"
    if VERSION not in TESTED:
        return f"not tested with MLflow {VERSION}"
    store = handlers._get_tracking_store()
    if type(store) is not SqlAlchemyStore or store.db_type != "postgresql":
        return "the tracking store is not PostgreSQL"
    ping.install(store)
    fallbacks = Fallbacks()
    for name, path in STORE_METHODS.items():
        setattr(SqlAlchemyStore, name, _try_first(path, getattr(SqlAlchemyStore, name), fallbacks))
    own._upsert_batch = _try_first(spans.upsert, own._upsert_batch, fallbacks)
    _write_text(flask, handlers, fallbacks)
    views.install(flask, store, handlers._get_model_registry_store(), fallbacks)
    return ""


def _try_first(
    path: Callable[..., Any], original: Callable[..., Any], fallbacks: Fallbacks
) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return path(*arguments, **named)
        except Unusual as reason:
            fallbacks.add(original.__name__, str(reason))
        return original(*arguments, **named)

    return call


def _write_text(flask: Any, handlers: Any, fallbacks: Fallbacks) -> None:
    def get_run(request: Any) -> Text:
        return Text(reads.get_run(handlers._get_tracking_store(), request))

    def search_runs(request: Any) -> Text:
        allowed = _allowed(list(request.experiment_ids))
        return Text(reads.search_runs(handlers._get_tracking_store(), request, allowed))

    for path, name in ((get_run, "get_run_impl"), (search_runs, "search_runs_impl")):
        setattr(
            handlers,
            name,
            _if_text(_try_first(path, getattr(handlers, name), fallbacks), getattr(handlers, name)),
        )
    for name in ("_get_run", "_search_runs"):
        flask.view_functions[name] = _allowing_text(flask.view_functions[name])
    to_json = handlers.message_to_json
    handlers.message_to_json = lambda message, **named: (
        message.text if isinstance(message, Text) else to_json(message, **named)
    )


def _allowed(experiment_ids: list[str]) -> list[str]:
    """Return those that the account may read: all without basic-auth, whose packages may be missing then."""
    try:
        from mlflow.server import auth
    except ImportError:
        return experiment_ids
    allowed: list[str] = auth.filter_experiment_ids(experiment_ids) if auth.auth_config else experiment_ids
    return allowed


def _if_text(path: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda request: path(request) if _may_write_text.get() else original(request)


def _allowing_text(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def call(*arguments: Any, **named: Any) -> Any:
        token = _may_write_text.set(True)
        try:
            return view(*arguments, **named)
        finally:
            _may_write_text.reset(token)

    return call
