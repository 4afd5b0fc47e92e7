"""With workspaces, a request reaches nothing of another workspace than its own.

MLflow's store looks most ids up in the workspace of the request. Here are the places where it does not.
"""

import os
from typing import Any

from mlflow_kubernetes.server import kubernetes_plugin
from mlflow_kubernetes.server.messages import check_each
from mlflow_kubernetes.stores import workspaces


def install() -> None:
    """Add the checks that MLflow lacks. Call it before the fork."""
    if not workspaces.is_enabled(os.environ):
        return
    _separate_webhooks()
    check_each(_check)


def _separate_webhooks() -> None:
    """Keep the webhooks of each workspace apart: MLflow keeps those of an event for all, for a minute."""
    from mlflow.utils.workspace_context import get_request_workspace
    from mlflow.webhooks import delivery

    caches: dict[str | None, Any] = {}

    def of_workspace(seconds: int) -> Any:
        workspace = get_request_workspace()
        if workspace not in caches:
            caches[workspace] = delivery.TTLCache(maxsize=1000, ttl=seconds)
        return caches[workspace]

    delivery._get_or_create_webhook_cache = of_workspace


def _check(message: Any) -> None:
    """Look up the ids of a message that MLflow writes down as they are."""
    from mlflow.server import handlers

    kind, store = message.DESCRIPTOR.name, handlers._get_tracking_store()
    if kind in ("LogMetric", "LogBatch"):
        metrics = message.metrics if kind == "LogBatch" else [message]
        for model in {each.model_id for each in metrics if each.model_id}:
            store.get_logged_model(model)
    elif kind in ("CreateGatewayGuardrail", "UpdateGatewayGuardrail"):
        if endpoint := getattr(message, "action_endpoint_id", ""):
            store.get_gateway_endpoint(endpoint_id=endpoint)
    elif kind.endswith("GatewayBudgetPolicy") and kubernetes_plugin.enabled():
        _refuse_global_budget(message)


def _refuse_global_budget(message: Any) -> None:
    """The plugin refuses a budget of all workspaces by its name only, and MLflow takes its number too."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.service_pb2 import GLOBAL

    if "target_scope" in message.DESCRIPTOR.fields_by_name and message.target_scope == GLOBAL:
        words = "target_scope: GLOBAL is for all workspaces; set WORKSPACE."
        raise MlflowException.invalid_parameter_value(words)
