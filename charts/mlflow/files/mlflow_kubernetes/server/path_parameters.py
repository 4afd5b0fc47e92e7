"""A parameter of the path has one value in a request: neither the query nor the body may give it another one.

MLflow checks the permission for the value of one place, and its handlers may use that of another: an account
could read and change what others keep.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from mlflow_kubernetes.server.audit.object_ids import camel

# Their body is the artifact itself, which may be large, and is no message.
STREAMED = "artifact_path"


def install(app: Any) -> None:
    """Check each request between MLflow's login, whose app exists by then, and the handler.

    Args:
        app: MLflow's Flask app.
    """
    if os.environ.get("MLFLOW_KUBERNETES_APP_NAME"):  # an app with accounts
        app.before_request_funcs.setdefault(None, []).append(_check)


def _check() -> Any:
    """Answer 400 to a request with two values of a parameter; else nothing."""
    from flask import Response, request

    parameters = request.view_args or {}
    if not parameters or STREAMED in parameters:
        return None
    given = [*request.args.items(multi=True), *_fields(request.get_data())]
    for name, value in parameters.items():
        if any(key in (name, camel(name)) and other != str(value) for key, other in given):
            from mlflow.exceptions import MlflowException

            error = MlflowException.invalid_parameter_value(
                f"{name}: the path has another value than the query or the body; send it in the path only."
            )
            return Response(
                error.serialize_as_json(), error.get_http_status_code(), mimetype="application/json"
            )
    return None


def _fields(body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a JSON body, with their values as text. MLflow reads JSON in a string of JSON too."""
    message: Any = body
    for _ in range(2):
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, str):
            break
    if isinstance(message, dict):
        yield from ((key, str(value)) for key, value in message.items() if value is not None)
