"""The views that a fast path answers where they ask MLflow's store."""

from collections.abc import Callable
from typing import Any

from mlflow_kubernetes.server.fast import (
    experiment_reads,
    histories,
    logged_models,
    ping,
    registry,
    trace_reads,
)
from mlflow_kubernetes.server.fast.answers import answer_views
from mlflow_kubernetes.server.fast.fallbacks import Fallbacks

Views = tuple[tuple[str, Callable[..., Any], list[str]], ...]
# The store's method that a view calls, what answers in its place, and the names of its views in Flask.
TRACKING_VIEWS: Views = (
    ("get_metric_history", histories.get_history, ["_get_metric_history"]),
    ("get_metric_history_bulk", histories.get_bulk, ["serve_get_metric_history_bulk"]),
    (
        "get_metric_history_bulk_interval",
        histories.get_samples,
        ["get_metric_history_bulk_interval_handler", "serve_get_metric_history_bulk_interval"],
    ),
    ("get_experiment", experiment_reads.get_by_id, ["_get_experiment"]),
    ("get_experiment_by_name", experiment_reads.get_by_name, ["_get_experiment_by_name"]),
    ("search_experiments", experiment_reads.search, ["_search_experiments"]),
    ("get_logged_model", logged_models.get, ["_get_logged_model"]),
    ("search_logged_models", logged_models.search, ["_search_logged_models"]),
    ("get_trace_info", trace_reads.get, ["_get_trace_info_v3"]),
    ("search_traces", trace_reads.search, ["_search_traces_v3"]),
)
REGISTRY_VIEWS: Views = (
    ("get_registered_model", registry.get_model, ["_get_registered_model"]),
    ("search_registered_models", registry.search_models, ["_search_registered_models"]),
    ("get_model_version", registry.get_version, ["_get_model_version"]),
    ("get_model_version_by_alias", registry.get_version_by_alias, ["_get_model_version_by_alias"]),
    ("search_model_versions", registry.search_versions, ["_search_model_versions"]),
)


def install(flask: Any, tracking: Any, models: Any, fallbacks: Fallbacks) -> None:
    """Let the fast paths answer.

    Args:
        flask: MLflow's Flask app.
        tracking: MLflow's SqlAlchemyStore of runs, in PostgreSQL.
        models: The store of the registry. It may be of another kind; then MLflow's own code answers for it.
        fallbacks: Counts the calls that MLflow's own code answers.
    """
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    for method, path, names in TRACKING_VIEWS:
        answer_views(flask, type(tracking), method, path, names, fallbacks)
    if type(models) is SqlAlchemyStore and models.db_type == "postgresql":
        ping.install(models)
        for method, path, names in REGISTRY_VIEWS:
            answer_views(flask, SqlAlchemyStore, method, path, names, fallbacks)
