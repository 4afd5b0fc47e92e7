"""A search for runs as SQL: usual filters and orders, each as a condition or a term of its own."""

from dataclasses import dataclass
from typing import Any

from mlflow_kubernetes.server.fast.run_text import RUN_NAME
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
START_TIME = ("attribute", "start_time")
TEXTS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")


@dataclass(frozen=True)
class Condition:
    """A condition on a run `r`: of its own columns, or of the row that a table has for it and a key.

    Attributes:
        comparison: The condition on `r`, or on the row `d` of the table.
        compared: The values of the comparison.
        attribute: Name of the attribute, "" if the condition is of a table.
        table: Name of the table, "" if the condition is of an attribute.
        key: The key in the table, which has one row of that key for a run.
    """

    comparison: str
    compared: list[Any]
    attribute: str = ""
    table: str = ""
    key: str = ""

    @property
    def values(self) -> list[Any]:
        """The values of either statement below."""
        return [self.key, *self.compared] if self.table else self.compared

    @property
    def joined(self) -> str:
        """The condition for a statement that the planner may turn into joins."""
        return f"EXISTS (SELECT {self._row})" if self.table else self.comparison

    @property
    def per_row(self) -> str:
        """The condition for a statement that evaluates it for one run after the other."""
        return f"(SELECT true {self._row})" if self.table else self.comparison

    @property
    def _row(self) -> str:
        return f"FROM {self.table} d WHERE d.run_uuid = r.run_uuid AND d.key = %s AND {self.comparison}"


@dataclass(frozen=True)
class Order:
    """One order of a search: a rank, which puts missing values last, then the value."""

    kind: str
    key: str
    ascending: bool
    rank: str
    column: str
    join: str = ""

    @property
    def by_value(self) -> str:
        """The term for the value."""
        return self.column if self.ascending else f"{self.column} DESC"


@dataclass(frozen=True)
class Search:
    """A search for runs, as conditions and orders."""

    experiment_ids: list[int]
    stages: list[str]
    conditions: list[Condition]
    orders: list[Order]

    @property
    def tie_break(self) -> list[str]:
        """The terms that MLflow adds to the orders."""
        by_start = any((each.kind, each.key) == START_TIME for each in self.orders)
        return ["r.run_uuid"] if by_start else ["r.start_time DESC", "r.run_uuid"]


def parse_search(request: Any, experiment_ids: list[str]) -> Search:
    """Return the search of a SearchRuns message. MLflow's own parsers raise MLflow's errors.

    Args:
        request: The SearchRuns message.
        experiment_ids: Those of the request that the account may read.

    Raises:
        Unusual: Part of the filter or of the order is not in the tables above.
    """
    from mlflow.entities import LifecycleStage, ViewType
    from mlflow.utils.search_utils import SearchUtils

    view = ViewType.from_proto(request.run_view_type) if request.HasField("run_view_type") else None
    stages = LifecycleStage.view_type_to_stages(view or ViewType.ACTIVE_ONLY)
    if not all(each.isdecimal() and len(each) < 10 for each in experiment_ids):
        raise Unusual("an experiment's id")
    filters = SearchUtils.parse_search_filter(request.filter)
    orders = _orders(list(request.order_by))  # first: MLflow checks the orders before the comparators
    conditions = [_condition(each) for each in filters]
    return Search(sorted({int(each) for each in experiment_ids}), list(stages), conditions, orders)


def _condition(parsed: dict[str, Any]) -> Condition:
    from mlflow.utils.search_utils import SearchUtils

    kind, operator, value = parsed["type"], parsed["comparator"].upper(), parsed["value"]
    key = SearchUtils.translate_key_alias(parsed["key"])
    if kind == "attribute" and key != "run_name":
        if not (
            SearchUtils.is_string_attribute(kind, key, operator)
            or SearchUtils.is_numeric_attribute(kind, key, operator)
        ):
            raise Unusual("a filter")
        comparison, values = _compare(ATTRIBUTES.get(key), operator, value)
        return Condition(comparison, values, attribute=key)
    if kind == "attribute":
        kind, key = "tag", RUN_NAME
    table = TABLES.get(kind)
    if not table or operator not in (NUMBERS if kind == "metric" else TEXTS):
        raise Unusual("a filter")
    text, values = _compare("d.value", operator, float(value) if kind == "metric" else value)
    if kind == "metric":
        text = f"({text} OR d.is_nan)" if operator == "!=" else f"{text} AND NOT d.is_nan"
    return Condition(text, values, table=table, key=key)


def _compare(column: str | None, operator: str, value: Any) -> tuple[str, list[Any]]:
    if column is None or operator not in {*NUMBERS, *TEXTS}:
        raise Unusual("a filter")
    if operator in ("IN", "NOT IN"):
        comparison = "= ANY(%s)" if operator == "IN" else "<> ALL(%s)"
        return f"{column} {comparison}", [list(value)]
    return f"{column} {'<>' if operator == '!=' else operator} %s", [value]


def _orders(texts: list[str]) -> list[Order]:
    from mlflow.utils.search_utils import SearchUtils

    orders: list[Order] = []
    for text in texts:
        kind, key, ascending = SearchUtils.parse_order_by_for_search_runs(text)
        key = SearchUtils.translate_key_alias(key)
        if any((kind, key) == (each.kind, each.key) for each in orders):
            raise Unusual("an order")
        orders.append(_order(kind, key, ascending, f"o{len(orders)}"))
    return orders


def _order(kind: str, key: str, ascending: bool, alias: str) -> Order:
    if kind == "attribute":
        column = "r.name" if key == "run_name" else ATTRIBUTES.get(key)
        if column is None:
            raise Unusual("an order")
        return Order(kind, key, ascending, f"({column} IS NULL)", column)
    if kind not in TABLES:
        raise Unusual("an order")
    nan = f"WHEN {alias}.is_nan THEN 1 " if kind == "metric" else ""
    rank = f"(CASE {nan}WHEN {alias}.value IS NULL THEN 2 ELSE 0 END)"
    join = f"LEFT JOIN {TABLES[kind]} {alias} ON {alias}.run_uuid = r.run_uuid AND {alias}.key = %s"
    return Order(kind, key, ascending, rank, f"{alias}.value", join)
