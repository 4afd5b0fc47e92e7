"""What MLflow's Flask app and its basic-auth know of a call: the account, and the parsed body."""

from contextlib import suppress
from typing import Any

from mlflow_kubernetes.server import auth, oidc_plugin
from mlflow_kubernetes.server.audit.call import Call, current
from mlflow_kubernetes.server.audit.route_table import CHANGING, FILES


def install(flask: Any) -> None:
    """Add to the call what Flask knows, once it is answered. Call it before the first request.

    Args:
        flask: MLflow's Flask app, with its login.
    """
    from flask import g, request

    def note(response: Any) -> Any:
        call = current.get()
        if call is not None:
            with suppress(Exception):  # the answer counts more than the log
                _fill(call, g, request, response.status_code)
        return response

    flask.after_request_funcs.setdefault(None, []).append(note)


def _fill(call: Call, g: Any, request: Any, status: int) -> None:
    user = g.get("mlflow_authenticated_user")
    if user:
        call.user, call.login = str(user), "basic"
    # What is parsed already costs nothing. A client that is not logged in gets nothing parsed.
    if request.method in CHANGING and status not in (401, 429) and not FILES.search(request.path):
        call.body = request.get_json(silent=True)


def note_graphql_denials() -> None:
    """Let the log know that GraphQL denied a field: it answers 200, with null."""
    if auth.enabled():
        from mlflow.server.auth import GraphQLAuthorizationMiddleware
    elif oidc_plugin.enabled():
        from mlflow_oidc_auth.graphql.middleware import GraphQLAuthorizationMiddleware
    else:
        return
    check = GraphQLAuthorizationMiddleware._check_authorization

    def checked(middleware: Any, *args: Any) -> bool:
        allowed = False
        try:
            allowed = bool(check(middleware, *args))
        finally:  # the middleware denies a field whose check fails
            call = current.get()
            if call is not None and not allowed:
                call.denied = True
        return allowed

    GraphQLAuthorizationMiddleware._check_authorization = checked
