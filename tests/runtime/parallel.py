"""Calls of several writers whose result does not depend on their order, and what became of them."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from runtime.differential import API

WRITERS = 8
Call = tuple[str, dict[str, Any]]


class Writer:
    """One of them: it writes to runs that all write to, and to runs below them that it creates."""

    def __init__(self, number: int, seed: int, runs: list[str]) -> None:
        self.number = number
        self.chance = random.Random(f"{seed} {number}")
        self.runs = runs

    def calls(self, count: int) -> Iterator[Call]:
        """Yield path and body of each call."""
        makers = [self.metric, self.batch, self.batch, self.batch, self.param, self.tag, self.child]
        for step in range(count):
            run = self.chance.choice(self.runs)
            yield self.chance.choice(makers)(run, step)

    def metric(self, run: str, step: int) -> Call:
        """Log a metric."""
        return "/runs/log-metric", {"run_id": run, **self.point(step)}

    def point(self, step: int) -> dict[str, Any]:
        """Return a metric that only this call writes, often with a step and a time of other calls."""
        few = self.chance.randrange
        value = (self.number + 1) * 1000 + step + self.chance.random()
        return {"key": f"k{few(10)}", "value": value, "timestamp": few(3), "step": few(3)}

    def batch(self, run: str, step: int) -> Call:
        """Log metrics of all keys in any order, params that all writers know, and tags of this writer."""
        keys = self.chance.sample(range(10), 10)
        metrics = [self.point(step) | {"key": f"k{key}"} for key in keys]
        params = [{"key": f"p{key}", "value": "same"} for key in keys[:3]]
        tags = [{"key": f"w{self.number}", "value": f"{step}"}, {"key": f"t{keys[0]}", "value": "same"}]
        return "/runs/log-batch", {"run_id": run, "metrics": metrics, "params": params, "tags": tags}

    def param(self, run: str, step: int) -> Call:
        """Log a param of this writer."""
        return "/runs/log-parameter", {"run_id": run, "key": f"w{self.number}-{step}", "value": "v"}

    def tag(self, run: str, step: int) -> Call:
        """Set a tag of this writer again: the last value stays."""
        return "/runs/set-tag", {"run_id": run, "key": f"w{self.number}", "value": f"{step}"}

    def child(self, run: str, step: int) -> Call:
        """Create a run below another."""
        tags = [{"key": "mlflow.parentRunId", "value": run}]
        body = {"experiment_id": "0", "user_id": "u", "start_time": 1 + step, "tags": tags}
        return "/runs/create", body | {"run_name": f"w{self.number}-{step}"}


def write(url: str, seed: int, runs: list[str], count: int, threads: int) -> Counter[int]:
    """Let all writers write, so many at a time; return how often each status was answered."""

    def work(number: int) -> Counter[int]:
        session = requests.Session()
        calls = Writer(number, seed, runs).calls(count)
        return Counter(session.post(f"{url}{API}{path}", json=body).status_code for path, body in calls)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(WRITERS)), Counter())
