"""The plugin mlflow-kubernetes-plugins, which asks Kubernetes what a caller may do: its names and its limits.

The chart sets the plugin's own variables. Here is what no variable sets. Namespaces are workspaces without a
custom resource, and a silent API server makes requests fail that need its answer, and delays no others.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from mlflow_kubernetes.server import permissions

APP_NAME = "kubernetes-auth"
PACKAGE = "mlflow_kubernetes_plugins"
# Seconds to connect to the API server, and to wait for its answer. Its client waits without a limit.
REVIEW_SECONDS = (2, 5)
MESSAGE = "The Kubernetes API server does not answer; try again."


def enabled() -> bool:
    """Whether Kubernetes says what a caller may do."""
    return os.environ.get("MLFLOW_KUBERNETES_APP_NAME") == APP_NAME


def check_plugin(part: str) -> None:
    """Exit with a message if the image lacks the plugin."""
    if importlib.util.find_spec(PACKAGE) is None:
        sys.exit(
            f"mlflow: {part}: auth.mode: kubernetes needs the package mlflow-kubernetes-plugins, "
            "which the image lacks; add it as docs/identity.md shows, and set image."
        )


def prepare() -> None:
    """Check the image and name the store of workspaces. Call it before MLflow's command line starts."""
    check_plugin("server")
    os.environ["MLFLOW_WORKSPACE_STORE_URI"] = "kubernetes://"


def without_configs() -> None:
    """Take MLflowConfig resources from the plugin. Call it before its store is made."""
    provider: Any = importlib.import_module(f"{PACKAGE}.workspace_plugin.provider")
    provider.MlflowConfigCache = NoConfigs


def install() -> None:
    """Change the plugin's calls of the API server. Call it in each worker, before its app is made."""
    from kubernetes.client import AuthorizationV1Api

    without_configs()
    _out_of_the_loop(importlib.import_module(f"{PACKAGE}.auth.middleware"))
    for name in ("create_self_subject_access_review", "create_subject_access_review"):
        setattr(AuthorizationV1Api, name, _impatient(getattr(AuthorizationV1Api, name)))
    authorizer: Any = importlib.import_module(f"{PACKAGE}.auth.authorizer").KubernetesAuthorizer
    authorizer.is_allowed = _noting(authorizer.is_allowed)
    permissions.install_kubernetes(PACKAGE)


def _out_of_the_loop(middleware: Any) -> None:
    """Let threads wait for permissions, so that the event loop answers other requests meanwhile."""
    from mlflow_kubernetes.server.reviews import in_a_thread, on_the_loop

    middleware._authorize_request_async = in_a_thread(middleware._authorize_request_async)
    plugin = middleware.KubernetesAuthMiddleware
    plugin._apply_response_authorization_filters = in_a_thread(plugin._apply_response_authorization_filters)
    # They await the bodies of requests and of answers.
    plugin._ensure_request_json_body = staticmethod(on_the_loop(plugin._ensure_request_json_body))
    plugin._read_json_response_payload = staticmethod(on_the_loop(plugin._read_json_response_payload))


def _impatient(review: Callable[..., Any]) -> Callable[..., Any]:
    """Give a review a time limit; without an answer of the API server, answer 503, which clients repeat."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
    from urllib3.exceptions import HTTPError

    @wraps(review)
    def call(api: Any, body: Any) -> Any:
        try:
            return review(api, body, _request_timeout=REVIEW_SECONDS)
        except HTTPError as error:
            raise MlflowException(MESSAGE, TEMPORARILY_UNAVAILABLE) from error

    return call


def _noting(is_allowed: Callable[..., bool]) -> Callable[..., bool]:
    """Let the audit log know the caller, once the API server has accepted the identity."""
    from mlflow_kubernetes.server.audit.call import current

    core: Any = importlib.import_module(f"{PACKAGE}.auth.core")

    @wraps(is_allowed)
    def call(authorizer: Any, identity: Any, *arguments: Any, **named: Any) -> bool:
        allowed = is_allowed(authorizer, identity, *arguments, **named)
        noted = current.get()
        if noted is not None and not noted.user:
            name = identity.user or core._parse_jwt_subject(identity.token, "sub")
            noted.user, noted.login = str(name or ""), "kubernetes" if name else ""
        return allowed

    return call


class NoConfigs:
    """Stands in for the plugin's cache of MLflowConfig resources, which would move artifacts of a namespace.

    The chart has no such resource. Without it the plugin asks the API server for it in each request.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def get_config(self, _namespace: str) -> None:
        """Return no setting for a namespace."""
