"""The statements of one page of a search for runs: the complete one, and shortcuts for large experiments.

A shortcut reads a bounded number of rows, or follows an index, and is used if it proves to hold the page.
The settings are those of one transaction, so they work through PgBouncer. All values are placeholders.
"""

from dataclasses import dataclass
from typing import Any

from mlflow_kubernetes.server.fast.page_token import PageToken, Place
from mlflow_kubernetes.server.fast.run_text import COLUMNS
from mlflow_kubernetes.server.fast.search import START_TIME, Condition, Search
from mlflow_kubernetes.server.fast.statements import NO_JIT
from mlflow_kubernetes.stores.indexes import LATEST_METRICS

# Maximum number of runs that a walk reads for a filter. It fills a page of 100 if 1 run in 100 matches.
WALK_RUNS = 15_000
# Maximum number of metrics that the index by value finds faster than a walk.
FEW_METRICS = 10_000
# Number of runs from which an order by a metric is worth a statement of its own.
MANY_RUNS = 2_000
# Experiments, times the stages, that a walk merges.
BRANCHES = 20
# The plan must follow the index, however unlikely the planner thinks the filter.
WALK_SETTINGS = f"{NO_JIT}SET LOCAL enable_sort = off; "


@dataclass(frozen=True)
class Statement:
    """SQL with its values."""

    text: str
    values: list[Any]


@dataclass(frozen=True)
class Shortcut:
    """A statement for a page, which may find too few runs.

    Attributes:
        page: The statement.
        needed: Asks whether it is worth trying; None if it is.
        more: Asks whether there are runs that it cannot find; None if there may be.
    """

    page: Statement
    needed: Statement | None = None
    more: Statement | None = None


class SearchStatements:
    """The statements of a page of `size` runs, each of which finds one more if there is one."""

    def __init__(self, search: Search, token: PageToken, size: int) -> None:
        first = search.orders[0] if search.orders else None
        alone = len(search.orders) == 1
        by_start = first if first and alone and (first.kind, first.key) == START_TIME else None
        self.search = search
        self.size = size
        self.keeps_place = not search.orders or by_start is not None
        """Whether the start time and the id of a run say where it stands."""
        self.nulls_last = by_start is not None  # MLflow's own order has them first
        self.ascending = by_start is not None and by_start.ascending
        self.after = token.after if self.keeps_place else None
        self.offset = 0 if self.after else token.offset

    def complete(self) -> Statement:
        """Return the statement that finds every page."""
        terms = [term for each in self.search.orders for term in (each.rank, each.by_value)]
        joins = [each for each in self.search.orders if each.join]
        where, values = self._where()
        # OFFSET 0 keeps the planner from sorting all runs first, in the hope for a match among the first.
        found = f"SELECT r.* FROM runs r WHERE {where} OFFSET 0"  # noqa: S608
        source = f"({found}) r {' '.join(each.join for each in joins)}"
        keys = [each.key for each in joins]
        return self._page(source, [*values, *keys], [*terms, *self.search.tie_break])

    def shortcut(self) -> Shortcut | None:
        """Return the shortcut for the page, if there is one."""
        branches = len(self.search.experiment_ids) * len(self.search.stages)
        if not 0 < branches <= BRANCHES or any(each.attribute == "run_id" for each in self.search.conditions):
            return None
        if self.search.orders and self.search.orders[0].kind == "metric":
            return Shortcut(self._along_metric(), needed=self._more_than(MANY_RUNS))
        wanted = self.offset + self.size + 1
        lookups = [each for each in self.search.conditions if each.attribute != "start_time"]
        if not self.keeps_place or (lookups and wanted > WALK_RUNS):
            return None
        limit = WALK_RUNS if lookups else wanted
        walk, more = self._walk(lookups, limit), self._more_than(limit, self.nulls_last)
        return Shortcut(walk, needed=self._many_metrics(), more=more)

    def _walk(self, conditions: list[Condition], limit: int) -> Statement:
        """The newest or oldest runs, read in order until the page is full or the limit is reached."""
        branches, values = self._branches()
        walked = f"SELECT * FROM ({branches}) r ORDER BY {self._start_order} LIMIT %s"  # noqa: S608
        source = f"({walked}) r"
        if conditions:
            source += " WHERE " + " AND ".join(each.per_row for each in conditions)
        values = [*values, limit, *(value for each in conditions for value in each.values)]
        return self._page(source, values, [self._start_order], WALK_SETTINGS)

    def _along_metric(self) -> Statement:
        """The runs that have a number for the metric of the first order, which come before all others."""
        first, *others = self.search.orders
        terms = [term for each in others for term in (each.rank, each.by_value)]
        joins = [each for each in others if each.join]
        where, values = self._where()
        source = (
            "latest_metrics o0 JOIN runs r ON r.run_uuid = o0.run_uuid "
            f"{' '.join(each.join for each in joins)} WHERE o0.key = %s AND NOT o0.is_nan AND {where}"
        )
        keys = [*(each.key for each in joins), first.key]
        return self._page(source, [*keys, *values], [first.by_value, *terms, *self.search.tie_break])

    def _many_metrics(self) -> Statement | None:
        """Whether each filter for a metric, of all runs, fits more than an index by value finds quickly."""
        filters = [each for each in self.search.conditions if each.table == "latest_metrics"]
        if not filters:
            return None
        many = " AND ".join(
            "EXISTS (SELECT FROM latest_metrics d "
            f"WHERE d.key = %s AND {each.comparison} OFFSET {FEW_METRICS})"
            for each in filters
        )
        text = f"SELECT CASE WHEN to_regclass('{LATEST_METRICS.name}') IS NULL THEN true ELSE {many} END"
        # A sequential scan looks cheap for an early end, which may not come.
        settings = f"{NO_JIT}SET LOCAL enable_seqscan = off; "
        return Statement(settings + text, [value for each in filters for value in each.values])

    def _more_than(self, limit: int, or_without_start: bool = False) -> Statement:
        """Whether there are more runs than that, or ones without a start time."""
        branches, values = self._branches()
        text = f"SELECT EXISTS (SELECT FROM ({branches}) r OFFSET %s)"  # noqa: S608
        values = [*values, limit]
        if or_without_start:
            text += (
                " OR EXISTS (SELECT FROM runs r WHERE r.experiment_id = ANY(%s::int[]) "
                "AND r.lifecycle_stage = ANY(%s) AND r.start_time IS NULL)"
            )
            values += [self.search.experiment_ids, self.search.stages]
        return Statement(WALK_SETTINGS + text, values)

    def _branches(self) -> tuple[str, list[Any]]:
        """The runs of each experiment and stage, which an index has in order."""
        bounds = [each for each in self.search.conditions if each.attribute == "start_time"]
        if self.after:
            bounds.append(self._after(self.after))
        if self.nulls_last:
            bounds.append(Condition("r.start_time IS NOT NULL", []))
        branch = " AND ".join(
            [
                "SELECT r.* FROM runs r WHERE r.experiment_id = %s AND r.lifecycle_stage = %s",
                *(each.comparison for each in bounds),
            ]
        )
        ordered = f"({branch} ORDER BY {self._start_order})"
        found, values = [], []
        for experiment in self.search.experiment_ids:
            for stage in self.search.stages:
                found.append(ordered)
                values += [experiment, stage, *(value for each in bounds for value in each.values)]
        return " UNION ALL ".join(found), values

    def _where(self) -> tuple[str, list[Any]]:
        conditions = list(self.search.conditions)
        if self.after:
            after = self._after(self.after)
            text = after.comparison
            text = f"(({text}) OR r.start_time IS NULL)" if self.nulls_last else text
            conditions.append(Condition(text, after.compared))
        texts = [
            "r.experiment_id = ANY(%s::int[])",
            "r.lifecycle_stage = ANY(%s)",
            *(each.joined for each in conditions),
        ]
        values = [value for each in conditions for value in each.values]
        return " AND ".join(texts), [self.search.experiment_ids, self.search.stages, *values]

    @property
    def _start_order(self) -> str:
        return f"r.start_time{'' if self.ascending else ' DESC'}, r.run_uuid"

    def _after(self, place: Place) -> Condition:
        start, run_id = place
        beyond = ">" if self.ascending else "<"
        text = f"r.start_time {beyond}= %s AND (r.start_time {beyond} %s OR r.run_uuid > %s)"
        return Condition(text, [start, start, run_id])

    def _page(self, source: str, values: list[Any], order: list[str], settings: str = NO_JIT) -> Statement:
        terms = ", ".join(order)
        text = f"{settings}SELECT {COLUMNS} FROM {source} ORDER BY {terms} OFFSET %s LIMIT %s"  # noqa: S608
        return Statement(text, [*values, self.offset, self.size + 1])
