"""Pages of 100 runs from the experiments with 10^5 and 10^6 runs."""

from collections.abc import Callable
from typing import Any

from benchmarks.cases.case import API, Case, Request, post
from benchmarks.load.ids import LARGE, MIDDLE, Size

QUERIES: dict[str, dict[str, Any]] = {
    "newest": {},
    "order by metric": {"order_by": ["metrics.m1 DESC"]},
    "metric > x (0.1 %)": {"filter": "metrics.m1 > 0.999"},
    "metric > x (50 %)": {"filter": "metrics.m1 > 0.5"},
    "param = v (2 %)": {"filter": "params.p1 = 'v7'"},
    "tag = v (1 %)": {"filter": "tags.team = 't3'"},
    "name = v (1 %)": {"filter": "attributes.run_name = 'run-42'"},
}


def _search(size: Size, query: dict[str, Any]) -> Callable[[], list[Request]]:
    page = {"experiment_ids": [str(size.experiment_id)], "max_results": 100, **query}
    return lambda: [post(f"{API}runs/search", **page)]


def _cases(size: Size, seconds: float) -> list[Case]:
    return [
        Case(name, "big", _search(size, query), {1: "both"}, runs=size.runs, seconds=seconds, rounds=1)
        for name, query in QUERIES.items()
    ]


CASES = (*_cases(LARGE, 6), *_cases(MIDDLE, 3))
