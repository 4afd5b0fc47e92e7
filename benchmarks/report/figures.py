"""The slices of all rounds, put together by call, number of clients and peer."""

from dataclasses import dataclass
from statistics import median
from typing import Any

PER_REQUEST = ("server_cpu_ms", "database_cpu_ms")


@dataclass(frozen=True)
class Figure:
    """One call of one peer. Times are in milliseconds, medians of the rounds."""

    per_second: float
    units_per_second: float
    p50: float
    p95: float
    p99: float
    errors: int
    server_cpu_ms: float
    database_cpu_ms: float


@dataclass(frozen=True, order=True)
class Call:
    """What was called, and by how many clients."""

    group: str
    name: str
    runs: int
    clients: int


def figures(data: dict[str, Any]) -> dict[Call, dict[str, Figure]]:
    """Return a figure for each peer, by call, in the order of the run."""
    found: dict[Call, dict[str, list[dict[str, Any]]]] = {}
    for each in data["slices"]:
        call = Call(each["group"], each["case"], each["runs"], each["clients"])
        found.setdefault(call, {}).setdefault(each["peer"], []).append(each)
    return {call: {peer: _figure(slices) for peer, slices in peers.items()} for call, peers in found.items()}


def _figure(slices: list[dict[str, Any]]) -> Figure:
    requests = sum(each["requests"] for each in slices)
    good = max(requests - sum(each["errors"] for each in slices), 0)
    rate = good / sum(each["seconds"] for each in slices)
    cpu = {
        name: sum(each[name] * each["requests"] for each in slices) / max(requests, 1) for name in PER_REQUEST
    }
    times = {name: median(each[name] for each in slices) for name in ("p50", "p95", "p99")}
    errors = sum(each["errors"] for each in slices)
    return Figure(rate, rate * slices[0]["units"], errors=errors, **times, **cpu)
