"""A field of a request has one value, one spelling and the type that it should have.

MLflow's login reads the path, the query or the JSON of a request, and its handlers read the message that
MLflow makes of it. An account could name its own thing in what the login reads, and another account's in the
message.
"""

import os
import re
from typing import Any

from mlflow_kubernetes.server.messages import check_each

# Their body is the artifact itself, which may be large, and is no message.
STREAMED = "artifact_path"
UPLOAD = "/upload-artifact"
# Other names of a field, which MLflow takes instead of it.
OTHER_NAMES = {"run_uuid": "run_id"}


def install(app: Any) -> None:
    """Check each request between MLflow's login, whose app exists by then, and the handler.

    Args:
        app: MLflow's Flask app.
    """
    if not os.environ.get("MLFLOW_KUBERNETES_APP_NAME"):
        return  # no accounts
    from mlflow.server import handlers

    app.before_request_funcs.setdefault(None, []).append(_check)
    handlers.parse_dict = _noting_errors(handlers.parse_dict)
    check_each(_check_message)


def _check() -> Any:
    """Answer 400 to a request with two values of a field; else nothing."""
    from flask import request

    parameters = request.view_args or {}
    streamed = STREAMED in parameters or request.path.endswith(UPLOAD)
    body = {} if streamed else _body()
    if isinstance(body, str):
        return _answer("body: it is a string of JSON; send the object itself.")
    values: dict[str, Any] = dict(parameters)
    for key, value in (*request.args.lists(), *body.items()):
        name = _name(key)
        other = value if value is None else values.setdefault(name, value)
        if other is not value and _text(other) != _text(value):
            if name in parameters:
                return _answer(f"{name}: the path has another value; send it in the path only.")
            return _answer(f"{name}: the request has two values of it; send one.")
    return None


def _answer(words: str) -> Any:
    from flask import Response
    from mlflow.exceptions import MlflowException

    error = MlflowException.invalid_parameter_value(words)
    return Response(error.serialize_as_json(), error.get_http_status_code(), mimetype="application/json")


def _name(key: str) -> str:
    """The one name of a field, which MLflow takes in camel case too."""
    name = re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key)
    return OTHER_NAMES.get(name, name)


def _body() -> dict[str, Any] | str:
    """The fields of a JSON body, or a string, in which MLflow's handlers read JSON and its login does not."""
    from flask import request

    try:
        body = request.get_json(force=True, silent=True)  # as MLflow's handlers do, so it is parsed once
    except RecursionError:
        return {}
    return body if isinstance(body, (dict, str)) else {}


def _text(value: Any) -> Any:
    """A value as text, or a list of texts; a list of one is its value."""
    if not isinstance(value, list):
        return str(value)
    return str(value[0]) if len(value) == 1 else [str(each) for each in value]


def _noting_errors(parse: Any) -> Any:
    """MLflow goes on with the fields before one that it cannot read, as if the request had no others."""
    from flask import g
    from google.protobuf.json_format import ParseError

    def parsed(body: Any, message: Any) -> None:
        try:
            parse(body, message)
        except ParseError as error:
            g.mlflow_kubernetes_unread = str(error)[:500]
            raise

    return parsed


def _check_message(message: Any) -> None:
    """Refuse a message whose request MLflow has not read as its login has."""
    from flask import g
    from mlflow.exceptions import MlflowException

    if unread := g.pop("mlflow_kubernetes_unread", None):
        raise MlflowException.invalid_parameter_value(f"MLflow cannot read the request: {unread}")
    _check_spelling(message.DESCRIPTOR, _body())


def _check_spelling(described: Any, body: Any) -> None:
    """Refuse fields in camel case. Those of messages inside matter where they name things of the gateway."""
    from mlflow.exceptions import MlflowException

    for field in described.fields if isinstance(body, dict) else ():
        if field.json_name != field.name and field.json_name in body:
            raise MlflowException.invalid_parameter_value(f"{field.json_name}: send it as {field.name}.")
        if field.message_type and "Gateway" in field.message_type.name:
            inside = body.get(field.name)
            for each in inside if isinstance(inside, list) else [inside]:
                _check_spelling(field.message_type, each)
