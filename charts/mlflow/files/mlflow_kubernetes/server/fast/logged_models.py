"""Logged models: one by its id, and a page of a search."""

from typing import Any

from mlflow_kubernetes.server.fast.json_text import ITEM, pairs, write, write_page
from mlflow_kubernetes.server.fast.selects import fetch_select
from mlflow_kubernetes.server.fast.statements import fetch, read_engine
from mlflow_kubernetes.server.fast.unusual import Unusual

COLUMNS = (
    *(
        f"logged_models.{name}"
        for name in (
            "model_id",
            "experiment_id",
            "name",
            "creation_timestamp_ms",
            "last_updated_timestamp_ms",
            "artifact_location",
            "status",
            "model_type",
            "source_run_id",
            "status_message",
        )
    ),
    "(SELECT json_agg(json_build_array(t.tag_key, t.tag_value)) FROM logged_model_tags t"
    " WHERE t.model_id = logged_models.model_id)",
    "(SELECT json_agg(json_build_array(p.param_key, p.param_value)) FROM logged_model_params p"
    " WHERE p.model_id = logged_models.model_id)",
    "(SELECT json_agg(json_build_array(m.metric_name, m.metric_value::text, m.metric_timestamp_ms,"
    " m.metric_step, m.dataset_name, m.dataset_digest, m.model_id, m.run_id)) FROM logged_model_metrics m"
    " WHERE m.model_id = logged_models.model_id)",
)
GET = f"SELECT {', '.join(COLUMNS)} FROM logged_models WHERE model_id = %s"  # noqa: S608 - constants
ACTIVE = " AND lifecycle_stage <> 'deleted'"
METRIC = ("key", "value", "timestamp", "step", "dataset_name", "dataset_digest", "model_id", "run_id")
STATUSES = (
    "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED",
)
NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def get(store: Any, model_id: str, allow_deleted: bool = False) -> str:
    """Answer `logged-models/<id>`. Arguments as SqlAlchemyStore.get_logged_model has them."""
    rows = fetch(read_engine(store), GET + ("" if allow_deleted else ACTIVE), [model_id])
    if not rows:
        raise Unusual("not found")
    return write({"model": _fields(rows[0])})


def search(
    store: Any,
    experiment_ids: list[str],
    filter_string: str | None,
    datasets: Any,
    max_results: int | None,
    order_by: Any,
    page_token: str | None,
) -> str:
    """Answer `logged-models/search`. Arguments as SqlAlchemyStore.search_logged_models has them."""
    from mlflow.utils.search_utils import SearchLoggedModelsPaginationToken as Token

    if datasets and not all(each.get("dataset_name") for each in datasets):
        raise Unusual("a dataset without a name")
    token = Token.decode(page_token) if page_token else Token(experiment_ids, filter_string, order_by)
    token.validate(experiment_ids, filter_string, order_by)
    size = max_results or 100
    page = (
        _select(store, experiment_ids, filter_string, datasets, order_by).offset(token.offset).limit(size + 1)
    )
    rows = fetch_select(read_engine(store), page.statement, COLUMNS)
    following = (
        Token(experiment_ids, filter_string, order_by, token.offset + size) if len(rows) > size else None
    )
    texts = [write(_fields(row), ITEM) for row in rows[:size]]
    return write_page("models", texts, following and following.encode())


def _select(
    store: Any, experiment_ids: list[str], filter_string: str | None, datasets: Any, order_by: Any
) -> Any:
    from mlflow.store.tracking.sqlalchemy_store import SqlLoggedModel

    with store.ManagedSessionMaker() as session:
        query = store._get_query(session, SqlLoggedModel)
        query = store._apply_filter_string_datasets_search_logged_models(
            query, session, experiment_ids, filter_string, datasets
        )
        return store._apply_order_by_search_logged_models(query, session, order_by)


def _fields(row: Any) -> dict[str, Any]:
    model, experiment, name, created, updated, location, status, kind, run, message, tags, params, metrics = (
        row
    )
    if not 0 <= status < len(STATUSES):
        raise Unusual("a status")
    info = {"model_id": model, "experiment_id": str(experiment), "name": name}
    info |= {"creation_timestamp_ms": created, "last_updated_timestamp_ms": updated}
    info |= {"artifact_uri": location, "status": STATUSES[status], "model_type": kind}
    info |= {"source_run_id": run, "status_message": message, "tags": pairs(tags or [])}
    data = {"params": pairs(params or []), "metrics": [_metric(each) for each in metrics or ()]}
    return {"info": _given(info), "data": _given(data)}


def _metric(row: Any) -> dict[str, Any]:
    fields = dict(zip(METRIC, row, strict=True))
    if row[1] is None or (row[4] is None) != (row[5] is None):
        raise Unusual("a metric without a value")
    if row[1] not in NO_NUMBERS:
        fields["value"] = float(row[1])
    return {name: value for name, value in fields.items() if value or name in METRIC[:4]}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [])}
