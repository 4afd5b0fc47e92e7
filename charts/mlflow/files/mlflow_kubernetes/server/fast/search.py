"""The SQL of a search for runs: usual filters and orders, each as a condition of its own."""

from dataclasses import dataclass, field
from typing import Any

from mlflow_kubernetes.server.fast.run_text import COLUMNS, RUN_NAME
from mlflow_kubernetes.server.fast.unusual import Unusual

ATTRIBUTES = {
    "run_id": "r.run_uuid",
    "start_time": "r.start_time",
    "end_time": "r.end_time",
    "status": "r.status",
    "user_id": "r.user_id",
    "artifact_uri": "r.artifact_uri",
}
TABLES = {"metric": "latest_metrics", "parameter": "params", "tag": "tags"}
NUMBERS = ("=", "!=", "<", "<=", ">", ">=")
TEXTS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")


@dataclass
class Page:
    """One page of a search: its statement and values, and the size that was asked for."""

    statement: str
    values: list[Any]
    size: int
    offset: int

    def next_token(self, found: int) -> str:
        """Return MLflow's token of the next page, or "" if there is none."""
        from mlflow.utils.search_utils import SearchUtils

        more = found == self.size + 1
        return SearchUtils.create_page_token(self.offset + self.size).decode() if more else ""


@dataclass
class _Conditions:
    """Conditions, joins and orders, each with its values, in the order of the statement."""

    joins: list[str] = field(default_factory=list)
    join_values: list[Any] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    where_values: list[Any] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


def compile_search(request: Any, experiment_ids: list[str]) -> Page:
    """Return the page of a SearchRuns message. MLflow's own parsers raise MLflow's errors.

    Raises:
        Unusual: Part of the filter or of the order is not in the tables above.
    """
    from mlflow.entities import LifecycleStage, ViewType
    from mlflow.utils.search_utils import SearchUtils

    view = ViewType.from_proto(request.run_view_type) if request.HasField("run_view_type") else None
    stages = LifecycleStage.view_type_to_stages(view or ViewType.ACTIVE_ONLY)
    if not all(each.isdecimal() and len(each) < 10 for each in experiment_ids):
        raise Unusual("an experiment's id")
    parts = _Conditions()
    filters = SearchUtils.parse_search_filter(request.filter)
    _add_order(parts, list(request.order_by))  # first: MLflow checks the orders before the comparators
    for each in filters:
        _add_filter(parts, each)
    offset = SearchUtils.parse_start_offset_from_page_token(request.page_token or None)
    statement = (
        f"SELECT {COLUMNS} FROM runs r {' '.join(parts.joins)} "  # noqa: S608 - values are placeholders
        "WHERE r.experiment_id = ANY(%s::int[]) AND r.lifecycle_stage = ANY(%s)"
        + "".join(f" AND {each}" for each in parts.where)
        + f" ORDER BY {', '.join(parts.order)} OFFSET %s LIMIT %s"
    )
    size = request.max_results
    where = [[int(each) for each in experiment_ids], list(stages), *parts.where_values]
    return Page(statement, [*parts.join_values, *where, offset, size + 1], size, offset)


def _add_filter(parts: _Conditions, parsed: dict[str, Any]) -> None:
    from mlflow.utils.search_utils import SearchUtils

    kind, operator, value = parsed["type"], parsed["comparator"].upper(), parsed["value"]
    key = SearchUtils.translate_key_alias(parsed["key"])
    if kind == "attribute" and key != "run_name":
        if not (
            SearchUtils.is_string_attribute(kind, key, operator)
            or SearchUtils.is_numeric_attribute(kind, key, operator)
        ):
            raise Unusual("a filter")
        _compare(parts, ATTRIBUTES.get(key), operator, value)
        return
    if kind == "attribute":
        kind, key = "tag", RUN_NAME
    table = TABLES.get(kind)
    if not table or operator not in (NUMBERS if kind == "metric" else TEXTS):
        raise Unusual("a filter")
    inner = _Conditions()
    _compare(inner, "d.value", operator, float(value) if kind == "metric" else value)
    condition = inner.where[0]
    if kind == "metric":
        condition = f"({condition} OR d.is_nan)" if operator == "!=" else f"{condition} AND NOT d.is_nan"
    parts.where.append(
        f"EXISTS (SELECT FROM {table} d WHERE d.run_uuid = r.run_uuid AND d.key = %s AND {condition})"
    )
    parts.where_values += [key, *inner.where_values]


def _compare(parts: _Conditions, column: str | None, operator: str, value: Any) -> None:
    if column is None or operator not in {*NUMBERS, *TEXTS}:
        raise Unusual("a filter")
    if operator in ("IN", "NOT IN"):
        parts.where.append(
            f"{column} {'=' if operator == 'IN' else '<>'} {'ANY' if operator == 'IN' else 'ALL'}(%s)"
        )
        value = list(value)
    else:
        parts.where.append(f"{column} {'<>' if operator == '!=' else operator} %s")
    parts.where_values.append(value)


def _add_order(parts: _Conditions, orders: list[str]) -> None:
    from mlflow.utils.search_utils import SearchUtils

    seen = set()
    for number, order in enumerate(orders):
        kind, key, ascending = SearchUtils.parse_order_by_for_search_runs(order)
        key = SearchUtils.translate_key_alias(key)
        if (kind, key) in seen:
            raise Unusual("an order")
        seen.add((kind, key))
        column, rank = _order_column(parts, kind, key, number)
        parts.order += [rank, column if ascending else f"{column} DESC"]
    if ("attribute", "start_time") not in seen:
        parts.order.append("r.start_time DESC")
    parts.order.append("r.run_uuid")


def _order_column(parts: _Conditions, kind: str, key: str, number: int) -> tuple[str, str]:
    if kind == "attribute":
        column = "r.name" if key == "run_name" else ATTRIBUTES.get(key)
        if column is None:
            raise Unusual("an order")
        return column, f"({column} IS NULL)"
    if kind not in TABLES:
        raise Unusual("an order")
    alias = f"o{number}"
    parts.joins.append(
        f"LEFT JOIN {TABLES[kind]} {alias} ON {alias}.run_uuid = r.run_uuid AND {alias}.key = %s"
    )
    parts.join_values.append(key)
    column = f"{alias}.value"
    nan = f"WHEN {alias}.is_nan THEN 1 " if kind == "metric" else ""
    return column, f"(CASE {nan}WHEN {column} IS NULL THEN 2 ELSE 0 END)"
