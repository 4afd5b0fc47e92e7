"""`python -m benchmarks.soak.soak_page`: write docs/soak.md and its picture from the series of a soak."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflowops.paths import REPO

from benchmarks.report.digits import number
from benchmarks.report.page import table
from benchmarks.soak.soak_picture import draw

LATEST_SOAK = REPO / "benchmarks/results/soak.json"
SOAK_PAGE = REPO / "docs/soak.md"
HEAD = """\
# Soak

A release of two server pods under load for {minutes:.0f} minutes, on PostgreSQL and S3, with two workers in
each pod. 16 clients send batches, metrics, reads and searches, at 70 % of what they reached in a minute
without pauses. Six writers and three readers of the [fault tests](../tests/e2e/faults) work beside them, and
a check reads back all that was acknowledged to them. Meanwhile all server pods are replaced every 5 minutes.
A backup, and retention, which removes the runs of the clients, run every 5 minutes too. No request is sent a
second time: each error counts.

Measured on {date} UTC at commit `{commit}` with MLflow {mlflow}, on {cpus} CPUs and {memory_gib} GiB that
clients, servers, PostgreSQL and cluster share (load {load} at the start).{note}
"""
MEMORY = """\
Slope of a pod's memory from its second minute on, for pods that lived three minutes. A server pod ends with
the next rollout, so its slope is that of a few minutes; the exporter lives as long as the soak.
"""
TAIL = """\
`make soak` repeats it on the cluster of `make up`; `make soak MINUTES=120` takes longer. It exits 1 after an
error, a restart or a lost write. [The series](../benchmarks/results/soak.json) has a sample every 15 seconds.
"""


def soak_page(data: dict[str, Any]) -> str:
    """Return the page."""
    note = f"\n\n**{data['note']}**" if data["note"] else ""
    head = HEAD.format(**{**data, **data["machine"], "note": note})
    picture = "![Requests, latency, connections and memory over time](images/soak.svg)"
    pods = table(("pod", "minutes", "MiB at the end", "MiB per hour"), list(_pods(data)))
    figures = table(("figure", "value"), list(figures_of(data)))
    parts = [head, figures, picture, "## Memory", MEMORY, pods, "## Repeat", TAIL]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def figures_of(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the figures of a soak, with their values."""
    windows, rollouts = data["windows"], data["rollouts"]
    connections = [each["connections"] for each in data["samples"]]
    p50, p95, p99 = (sorted(each[place] for each in windows)[len(windows) // 2] for place in (3, 4, 5))
    yield "requests", f"{data['requests']:,}"
    yield "errors", f"{data['errors']:,}"
    yield "restarts of containers", f"{data['restarts']}"
    yield (
        "acknowledged, lost, doubled",
        (f"{data['acknowledged']:,}, {len(data['lost'])}, {len(data['doubled'])}"),
    )
    yield (
        "capacity, wanted, reached (requests/s)",
        (f"{number(data['capacity'])}, {number(data['rate'])}, {number(_reached(windows))}"),
    )
    yield (
        "latency: p50, p95, p99 (ms, medians of 10 s), slowest",
        (f"{number(p50)}, {number(p95)}, {number(p99)}, {number(max(each[6] for each in windows))}"),
    )
    yield "connections to PostgreSQL, least and most", f"{min(connections)}, {max(connections)}"
    yield (
        "rollouts, longest (s)",
        f"{len(rollouts)}, {max((each['seconds'] for each in rollouts), default=0)}",
    )
    yield "steps of the soak itself that failed, such as a sample", str(len(data["failures"]))
    for task, ends in data["jobs"].items():
        yield f"{task}: done, failed", f"{ends['succeeded']}, {ends['failed']}"


def _reached(windows: list[list[float]]) -> float:
    seconds = windows[-1][0] - windows[0][0]
    return sum(each[1] for each in windows[1:]) / seconds if seconds else 0


def _pods(data: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for pod, minutes, mib, slope in data["slopes"]:
        yield pod, f"{minutes:.0f}", number(mib), f"{slope:+.0f}"


def lines(data: dict[str, Any]) -> Iterator[str]:
    """Yield what is printed at the end of a soak."""
    for name, value in figures_of(data):
        yield f"{name}: {value}"
    for row in _pods(data):
        yield "memory of {}: {} minutes, {} MiB, {} MiB per hour".format(*row)


def write_soak(results: Path = LATEST_SOAK) -> None:
    """Write docs/soak.md and its picture."""
    data = json.loads(results.read_text())
    SOAK_PAGE.write_text(soak_page(data))
    draw(data, SOAK_PAGE.parent / "images/soak.svg")


if __name__ == "__main__":
    write_soak()
