"""Answers that are written where MLflow's view asks the store, after all that the view checks."""

import contextvars
import functools
from collections.abc import Callable
from typing import Any

from mlflow_kubernetes.server.fast.fallbacks import Fallbacks
from mlflow_kubernetes.server.fast.unusual import Unusual

# The store's method that the running view will ask, and which may answer in its place. Other callers of the
# method, such as GraphQL and the checks of permissions, gets MLflow's objects.
_awaited = contextvars.ContextVar("awaited", default="")


class _Answered(Exception):
    """Leaves the view with the body of the answer."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body


def answer_views(
    flask: Any, store: type, method: str, path: Callable[..., Any], views: list[str], fallbacks: Fallbacks
) -> None:
    """Let a fast path answer views.

    Args:
        flask: MLflow's Flask app.
        store: The class of MLflow's store.
        method: Its method that the views call. Permissions are filtered after the view, in the text.
        path: Takes the method's arguments; returns JSON text, or what Flask is to write as JSON.
        views: Names of the views in Flask.
        fallbacks: Counts the calls that MLflow's own method answers.
    """
    from mlflow.exceptions import MlflowException

    original = getattr(store, method)

    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        if _awaited.get() != method:
            return original(*arguments, **named)
        try:
            body = path(*arguments, **named)
        except MlflowException:
            raise
        except Exception as error:  # what MLflow's parsers stumble over, MLflow's own code answers
            fallbacks.add(method, str(error) if isinstance(error, Unusual) else "an error")
            return original(*arguments, **named)
        raise _Answered(body)

    setattr(store, method, call)
    for view in views:
        flask.view_functions[view] = _awaiting(method, flask, flask.view_functions[view])


def _awaiting(method: str, flask: Any, view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def call(*arguments: Any, **named: Any) -> Any:
        token = _awaited.set(method)
        try:
            return view(*arguments, **named)
        except _Answered as answered:
            body = answered.body
            return flask.response_class(body, mimetype="application/json") if isinstance(body, str) else body
        finally:
            _awaited.reset(token)

    return call
