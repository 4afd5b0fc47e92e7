"""Experiments: one by its id or its name, and a page of a search."""

from functools import reduce
from typing import Any

from mlflow_kubernetes.server.fast.json_text import ITEM, pairs, write, write_page
from mlflow_kubernetes.server.fast.selects import fetch_select
from mlflow_kubernetes.server.fast.statements import fetch, read_engine
from mlflow_kubernetes.server.fast.unusual import Unusual

COLUMNS = [
    f"experiments.{name}"
    for name in (
        "experiment_id",
        "name",
        "artifact_location",
        "lifecycle_stage",
        "last_update_time",
        "creation_time",
        "workspace",
    )
]
# No index leads from an experiment to its tags: the tags of a page are read together.
PAGE = """
WITH page AS MATERIALIZED (SELECT row_number() OVER () AS number, found.* FROM ({page}) AS found),
tags AS (
    SELECT page.number, json_agg(json_build_array(t.key, t.value)) AS pairs
    FROM page JOIN experiment_tags t USING (experiment_id) GROUP BY page.number)
SELECT page.*, tags.pairs FROM page LEFT JOIN tags USING (number) ORDER BY page.number"""
GET = PAGE.replace("{page}", f"SELECT {', '.join(COLUMNS)} FROM experiments WHERE {{where}}")  # noqa: S608
BY_ID = GET.replace("{where}", "experiment_id = %s")
BY_NAME = GET.replace("{where}", "name = %s")


def get_by_id(store: Any, experiment_id: str) -> str:
    """Answer `experiments/get`. Arguments as SqlAlchemyStore.get_experiment has them."""
    if not (experiment_id.isdecimal() and len(experiment_id) < 10):
        raise Unusual("an experiment's id")
    return _get(store, BY_ID, int(experiment_id))


def get_by_name(store: Any, experiment_name: str) -> str:
    """Answer `experiments/get-by-name`. Arguments as SqlAlchemyStore.get_experiment_by_name has them."""
    return _get(store, BY_NAME, experiment_name)


def search(
    store: Any, view_type: int, max_results: int, filter_string: str, order_by: Any, page_token: str | None
) -> str:
    """Answer `experiments/search`. Arguments as SqlAlchemyStore.search_experiments has them."""
    from mlflow.entities import LifecycleStage
    from mlflow.store.tracking import sqlalchemy_store as own
    from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils
    from sqlalchemy import select

    _refuse_archival(store)
    store._validate_max_results_param(max_results)
    filters = SearchExperimentsUtils.parse_search_filter(filter_string)
    conditions, tags = own._get_search_experiments_filter_clauses(filters, store._get_dialect())
    order = own._get_search_experiments_order_by_clauses(order_by)
    offset = SearchUtils.parse_start_offset_from_page_token(page_token)
    stages = set(LifecycleStage.view_type_to_stages(view_type))
    statement = (
        reduce(lambda found, tag: found.join(tag), tags, select(own.SqlExperiment))
        .filter(*conditions, own.SqlExperiment.lifecycle_stage.in_(stages))
        .order_by(*order)
        .offset(offset)
        .limit(max_results + 1)
    )
    rows = fetch_select(read_engine(store), statement, COLUMNS, PAGE)
    more = len(rows) == max_results + 1
    token = SearchExperimentsUtils.create_page_token(offset + max_results).decode() if more else None
    return write_page("experiments", [write(_fields(row), ITEM) for row in rows[:max_results]], token)


def _get(store: Any, statement: str, value: Any) -> str:
    _refuse_archival(store)
    rows = fetch(read_engine(store), statement, [value])
    if len(rows) != 1:
        raise Unusual("not found")
    return write({"experiment": _fields(rows[0])})


def _refuse_archival(store: Any) -> None:
    if store._get_effective_experiment_trace_archival_retention_context() is not None:
        raise Unusual("archival of traces")


def _fields(row: Any) -> dict[str, Any]:
    _, number, name, location, stage, updated, created, workspace, tags = row
    if location is None or stage is None or workspace != "default":
        raise Unusual("an experiment without a value, or of a workspace")
    fields = {"experiment_id": str(number), "name": name, "artifact_location": location}
    fields["lifecycle_stage"] = stage
    if updated:  # MLflow leaves 0 out
        fields["last_update_time"] = updated
    if created:
        fields["creation_time"] = created
    if tags:
        fields["tags"] = pairs(tags)
    return fields | {"workspace": workspace}
