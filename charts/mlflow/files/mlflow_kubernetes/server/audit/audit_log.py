"""Decides which calls are logged, and makes their lines. docs/audit.md has the form."""

import json
import os
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from mlflow_kubernetes.addresses import plain
from mlflow_kubernetes.server.audit import flask_calls
from mlflow_kubernetes.server.audit.call import Call, current
from mlflow_kubernetes.server.audit.line_writer import LineWriter
from mlflow_kubernetes.server.audit.lost_lines import LostLines
from mlflow_kubernetes.server.audit.object_ids import bounded, object_ids
from mlflow_kubernetes.server.audit.proxies import Proxies
from mlflow_kubernetes.server.audit.route_table import CHANGING, FILES, Match, Routes

DENIED = {401, 403, 429}
WORKSPACE_HEADER = b"x-mlflow-workspace"


def open_audit_log(flask: Any, fastapi: Any) -> "AuditLog | None":
    """Return the log, or None if it is off. Call it before the fork and before the first request.

    Args:
        flask: MLflow's Flask app, with its login.
        fastapi: The FastAPI app around it.
    """
    if os.environ.get("MLFLOW_KUBERNETES_AUDIT") != "true":
        return None
    flask_calls.install(flask)
    flask_calls.note_graphql_denials()
    return AuditLog(Routes(flask, fastapi))


class AuditLog:
    """One line for each call that writes or is denied."""

    def __init__(self, routes: Routes) -> None:
        from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES

        self.routes = routes
        self.login = bool(os.environ.get("MLFLOW_KUBERNETES_APP_NAME"))
        self.workspaces = bool(MLFLOW_ENABLE_WORKSPACES.get())
        self.default_workspace = os.environ.get("MLFLOW_K8S_DEFAULT_WORKSPACE", "default")
        self.proxies = Proxies(os.environ.get("MLFLOW_KUBERNETES_AUDIT_PROXIES", "").split(","))
        self.writer = LineWriter(os.environ.get("MLFLOW_KUBERNETES_AUDIT_FILE", ""), LostLines())

    def begin(self, scope: dict[str, Any]) -> Call:
        """Return what the apps fill while they answer a request."""
        call = Call()
        current.set(call)
        method, path = scope["method"], scope["path"]
        with suppress(Exception):  # the answer counts more than the log
            if method in CHANGING and not FILES.search(path) and self.routes.match(method, path).native:
                call.kept = []
        return call

    def end(self, call: Call, scope: dict[str, Any], state: Any, status: int, request_id: str) -> None:
        """Log the call if it writes or was denied.

        Args:
            call: What the apps say about it.
            scope: The request as it came, before the gate changed headers and client.
            state: What the apps keep in the request's scope.
            status: Of the answer.
            request_id: As the answer's X-Request-ID.
        """
        if state and state.get("username"):  # of either login, in FastAPI; only oidc's says how
            call.user, call.login = str(state["username"]), str(state.get("auth_method") or "basic")
        try:
            denied = call.denied or status in DENIED
            if not denied and scope["method"] not in CHANGING:
                return
            match = self.routes.match(scope["method"], scope["path"])
            if denied or match.writes(scope["method"]):
                fields = self._fields(call, scope, match, status)
                fields["result"] = "denied" if denied else "ok" if status < 400 else "failed"
                self.writer.write(json.dumps({**fields, "request_id": request_id}, separators=(",", ":")))
        except Exception as error:  # the answer counts more than the log
            self.writer.lost.count(type(error).__name__)

    def _fields(self, call: Call, scope: dict[str, Any], match: Match, status: int) -> dict[str, Any]:
        headers = scope["headers"]
        when = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = _body(call) if call.user or not self.login else None
        return {
            "time": when,
            "level": "INFO",
            "logger": "mlflow.audit",
            "message": "audit",
            "user": bounded(call.user),
            "login": call.login,
            "workspace": bounded(_workspace(headers) or self.default_workspace) if self.workspaces else "",
            "method": scope["method"],
            "route": match.rule,
            "object": object_ids(match.parameters, scope["query_string"], headers, body),
            "status": status,
            "client": self.proxies.client(plain((scope.get("client") or ("",))[0]), headers),
        }


def _body(call: Call) -> Any:
    if call.body is None and call.kept:
        try:
            return json.loads(b"".join(call.kept))
        except ValueError:
            return None
    return call.body


def _workspace(headers: list[tuple[bytes, bytes]]) -> str:
    """As MLflow reads it from the header."""
    given = b"".join(value for name, value in headers if name == WORKSPACE_HEADER).decode("latin-1")
    return given.strip()
