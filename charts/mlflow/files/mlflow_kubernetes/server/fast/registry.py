"""Registered models and their versions: one by its name, number or alias, and pages of searches."""

from typing import Any

from mlflow_kubernetes.server.fast.json_text import ITEM, pairs, write, write_page
from mlflow_kubernetes.server.fast.selects import fetch_select
from mlflow_kubernetes.server.fast.statements import fetch, read_engine
from mlflow_kubernetes.server.fast.unusual import Unusual

VERSION = (
    "{0}.workspace, {0}.name, {0}.version, {0}.creation_time, {0}.last_updated_time, {0}.user_id, "
    "{0}.current_stage, {0}.description, {0}.source, {0}.run_id, {0}.status, {0}.status_message, {0}.run_link"
)
VERSION_COLUMNS = VERSION.format("model_versions").split(", ")
MODEL_COLUMNS = [
    f"registered_models.{name}"
    for name in ("workspace", "name", "creation_time", "last_updated_time", "description")
]
# No index leads from a model or a version to its tags: the tags of a page are read together. MLflow does not
# order the latest versions; the plan of its search happens to sort them by their stage.
VERSIONS = """
WITH page AS MATERIALIZED (SELECT row_number() OVER () AS number, found.* FROM ({page}) AS found),
tags AS (
    SELECT page.number, json_agg(json_build_array(t.key, t.value)) AS pairs
    FROM page JOIN model_version_tags t USING (workspace, name, version) GROUP BY page.number)
SELECT page.*, tags.pairs, {aliases} FROM page LEFT JOIN tags USING (number) ORDER BY page.number"""
ALIASES = """
    (SELECT json_agg(a.alias) FROM registered_model_aliases a
     WHERE a.workspace = page.workspace AND a.name = page.name AND a.version = page.version)"""
MODELS = f"""
WITH page AS MATERIALIZED (SELECT row_number() OVER () AS number, found.* FROM ({{page}}) AS found),
tags AS (
    SELECT page.number, json_agg(json_build_array(t.key, t.value)) AS pairs
    FROM page JOIN registered_model_tags t USING (workspace, name) GROUP BY page.number),
latest AS MATERIALIZED (
    SELECT DISTINCT ON (page.number, v.current_stage) page.number, {VERSION.format("v")}
    FROM page JOIN model_versions v USING (workspace, name) WHERE v.current_stage <> 'Deleted_Internal'
    ORDER BY page.number, v.current_stage, v.version DESC),
latest_tags AS (
    SELECT latest.number, latest.version, json_agg(json_build_array(t.key, t.value)) AS pairs
    FROM latest JOIN model_version_tags t USING (workspace, name, version)
    GROUP BY latest.number, latest.version),
versions AS (
    SELECT latest.number,
        json_agg(json_build_array({VERSION.format("latest")}, latest_tags.pairs, NULL)
                 ORDER BY latest.current_stage) AS texts
    FROM latest LEFT JOIN latest_tags USING (number, version) GROUP BY latest.number)
SELECT page.*, versions.texts, tags.pairs,
    (SELECT json_agg(json_build_array(a.alias, a.version::text)) FROM registered_model_aliases a
     WHERE a.workspace = page.workspace AND a.name = page.name)
FROM page LEFT JOIN versions USING (number) LEFT JOIN tags USING (number) ORDER BY page.number"""  # noqa: S608
ONE_MODEL = (
    f"SELECT {', '.join(MODEL_COLUMNS)} FROM registered_models "  # noqa: S608 - constants
    "WHERE workspace = 'default' AND name = %s"
)
GET_MODEL = MODELS.replace("{page}", ONE_MODEL)
ONE_VERSION = VERSIONS.replace("{aliases}", ALIASES).replace(
    "{page}",
    f"SELECT {', '.join(VERSION_COLUMNS)} FROM model_versions "  # noqa: S608 - constants
    "WHERE workspace = 'default' AND current_stage <> 'Deleted_Internal' AND name = %s "
    "AND version = {number}",
)
BY_NUMBER = ONE_VERSION.replace("{number}", "%s")
BY_ALIAS = ONE_VERSION.replace(
    "{number}",
    "(SELECT a.version FROM registered_model_aliases a"
    " WHERE a.workspace = model_versions.workspace AND a.name = model_versions.name AND a.alias = %s)",
)
STATUSES = {"PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY"}


def get_model(store: Any, name: str) -> str:
    """Answer `registered-models/get`. Arguments as SqlAlchemyStore.get_registered_model has them."""
    from mlflow.utils.validation import _validate_model_name

    _validate_model_name(name)
    rows = fetch(read_engine(store), GET_MODEL, [name])
    if not rows:
        raise Unusual("not found")
    return write({"registered_model": _model(rows[0])})


def get_version(store: Any, name: str, version: str) -> str:
    """Answer `model-versions/get`. Arguments as SqlAlchemyStore.get_model_version has them."""
    from mlflow.utils.validation import _validate_model_name, _validate_model_version

    _validate_model_name(name)
    return _one_version(store, BY_NUMBER, [name, _validate_model_version(version)])


def get_version_by_alias(store: Any, name: str, alias: str) -> str:
    """Answer `registered-models/alias`. Arguments as SqlAlchemyStore.get_model_version_by_alias has them."""
    from mlflow.utils.validation import _validate_model_alias_name, _validate_model_name

    _validate_model_name(name)
    _validate_model_alias_name(alias)
    if alias.lower() == "latest":
        raise Unusual("the latest version")
    return _one_version(store, BY_ALIAS, [name, alias])


def search_models(
    store: Any, filter_string: str, max_results: int, order_by: Any, page_token: str | None
) -> str:
    """Answer `registered-models/search`. Arguments as SqlAlchemyStore.search_registered_models has them."""
    from mlflow.utils.search_utils import SearchModelUtils, SearchUtils

    if not 0 < max_results <= 1000:
        raise Unusual("a size")
    filters = SearchModelUtils.parse_search_filter(filter_string)
    order = store._parse_search_registered_models_order_by(order_by)
    offset = SearchUtils.parse_start_offset_from_page_token(page_token)
    own = store._get_search_registered_model_filter_query(None, filters, store.engine.dialect.name)
    page = own.order_by(*order).limit(max_results + 1).offset(offset)
    rows = fetch_select(read_engine(store), page, MODEL_COLUMNS, MODELS)
    token = store._compute_next_token(max_results + 1, len(rows), offset, max_results)
    texts = [write(_model(row), ITEM) for row in rows[:max_results]]
    return write_page("registered_models", texts, token and token.decode())


def search_versions(
    store: Any, filter_string: str, max_results: int, order_by: Any, page_token: str | None
) -> str:
    """Answer `model-versions/search`. Arguments as SqlAlchemyStore.search_model_versions has them."""
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
    from mlflow.utils.search_utils import SearchModelVersionUtils, SearchUtils

    if not 0 < max_results <= 200_000:
        raise Unusual("a size")
    filters = SearchModelVersionUtils.parse_search_filter(filter_string)
    own = store._get_search_model_versions_filter_clauses(filters, store.engine.dialect.name)
    usual = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]
    order = store._parse_search_model_versions_order_by(order_by or usual)
    offset = SearchUtils.parse_start_offset_from_page_token(page_token)
    page = own.filter(SqlModelVersion.current_stage != "Deleted_Internal").order_by(*order)
    page = page.limit(max_results + 1).offset(offset)
    around = VERSIONS.replace("{aliases}", "NULL")  # MLflow leaves them out of pages
    rows = fetch_select(read_engine(store), page, VERSION_COLUMNS, around)
    token = store._compute_next_token(max_results + 1, len(rows), offset, max_results)
    texts = [write(_version(row[1:]), ITEM) for row in rows[:max_results]]
    return write_page("model_versions", texts, token and token.decode())


def _one_version(store: Any, statement: str, values: list[Any]) -> str:
    rows = fetch(read_engine(store), statement, values)
    if not rows:
        raise Unusual("not found")
    return write({"model_version": _version(rows[0][1:])})


def _model(row: Any) -> dict[str, Any]:
    _, _, name, created, updated, description, versions, tags, aliases = row
    fields = {"name": name, "creation_timestamp": created, "last_updated_timestamp": updated or None}
    fields |= {
        "description": description or None,
        "latest_versions": [_version(each) for each in versions or ()],
    }
    fields |= {"tags": pairs(tags or []), "aliases": pairs(aliases or [], "alias", "version")}
    return {field: value for field, value in fields.items() if value not in (None, [])}


def _version(row: Any) -> dict[str, Any]:
    _, name, number, created, updated, user, stage, description, source, run, status, message, link, *more = (
        row
    )
    tags, aliases = more
    if created is None or (status is not None and status not in STATUSES):
        raise Unusual("a version without a value")
    fields = {"name": name, "version": str(number), "creation_timestamp": created}
    fields |= {"last_updated_timestamp": updated, "user_id": user, "current_stage": stage}
    fields |= {"description": description, "source": source, "run_id": run, "status": status}
    fields |= {
        "status_message": message or None,
        "tags": pairs(tags or []),
        "run_link": link,
        "aliases": aliases,
    }
    return {field: value for field, value in fields.items() if value not in (None, [])}
