"""Writes docs/performance.md and its plots from a file of results."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from mlflowops.paths import REPO

from benchmarks.options import LATEST
from benchmarks.peers.peer import EVERY
from benchmarks.report.digits import number
from benchmarks.report.figures import Call, Figure, figures
from benchmarks.report.plots import write_plots
from benchmarks.report.sentence import write_sentences
from benchmarks.report.verdicts import THEIRS, unmet, verdicts

PAGE = REPO / "docs/performance.md"
PYTHONS = LATEST.with_name("python.json")
METHOD = Path(__file__).with_name("method.md")
TITLES = {peer.name: peer.title for peer in EVERY}
GROUPS = {
    "writes": "Training jobs",
    "searches": "Searches in a small experiment",
    "big": "Searches in large experiments",
    "reads": "Histories, registry, traces",
    "spans": "Spans by OTLP",
    "login": "With basic-auth",
    "indexed": "With indexes.latestMetrics, which is off by default",
}


def page(data: dict[str, Any]) -> str:
    """Return the page."""
    return (
        "\n\n".join(
            [
                "# Performance",
                *_head(data),
                "## Targets",
                _targets(data),
                *_reasons(data),
                "![Requests per second beside the official chart](images/performance-calls.svg)",
                "![Searches by the size of the experiment](images/performance-searches.svg)",
                *_calls(data),
                *_pods(data),
                *_pythons(json.loads(PYTHONS.read_text())),
                METHOD.read_text().strip(),
                *_failures(data),
            ]
        )
        + "\n"
    )


def _head(data: dict[str, Any]) -> Iterator[str]:
    machine = data["machine"]
    yield (
        "This chart beside the charts that others use: same cluster, same image, same PostgreSQL and S3,\n"
        "equal limits of 2 CPU and 4 GiB. Read the ratios: absolute numbers are those of one small machine."
    )
    if data["note"]:
        yield f"**{data['note']}**"
    yield (
        f"Measured on {data['date']} UTC at commit `{data['commit']}` with MLflow {data['mlflow']}, on\n"
        f"{machine['cpus']} CPUs and {machine['memory_gib']} GiB that load generator, servers, PostgreSQL\n"
        f"and cluster share (load {machine['load']} at the start), in {data['seconds'] / 60:.0f} minutes.\n"
        "`python -m benchmarks.report` makes this page from\n"
        "[the results](../benchmarks/results/latest.json)."
    )


def _targets(data: dict[str, Any]) -> str:
    rows = [
        (each.figure, each.ours, each.theirs, each.reached, each.target, each.word) for each in verdicts(data)
    ]
    return table(("figure", "this chart", "official chart", "reached", "target", ""), rows)


def _reasons(data: dict[str, Any]) -> Iterator[str]:
    if reasons := unmet(data):
        yield "### Why a target is not met"
        yield "\n".join(f"- **{'; '.join(figures)}.** {why}" for why, figures in reasons.items())


def _calls(data: dict[str, Any]) -> Iterator[str]:
    measured = figures(data)
    yield "## Every call"
    yield (
        "Times are milliseconds, CPU is milliseconds per request of the server's container and of\n"
        "PostgreSQL. An error is an answer of 400 or above, a broken connection or no answer within a minute."
    )
    for group, title in GROUPS.items():
        calls = {call: peers for call, peers in measured.items() if call.group == group}
        if calls:
            yield f"### {title}"
            yield _group(calls)


def _group(calls: dict[Call, dict[str, Figure]]) -> str:
    head = ("call", "runs", "clients", "", "1/s", "ratio", "p50", "p95", "p99", "CPU", "CPU of SQL", "errors")
    rows = []
    for call in sorted(calls, key=lambda call: (call.runs, list(calls).index(call), call.clients)):
        peers = calls[call]
        base = peers.get(THEIRS) or peers.get("community-login") or peers.get("python-3-11")
        for name, figure in peers.items():
            times = f"{number(figure.per_second / base.per_second)}x" if base and base.per_second else "-"
            rows.append((call.name, f"{call.runs:,}", call.clients, TITLES[name], *_columns(figure, times)))
    return table(head, rows)


def _columns(figure: Figure, times: str) -> tuple[object, ...]:
    rate, *shown = map(number, (figure.per_second, figure.p50, figure.p95, figure.p99))
    cpu = number(figure.server_cpu_ms), number(figure.database_cpu_ms)
    return rate, times, *shown, *cpu, figure.errors


def _pods(data: dict[str, Any]) -> Iterator[str]:
    columns = {
        "empty_s": "Ready, empty database (s)",
        "ready_s": "Ready (s)",
        "server_mib": "server's pod, idle (MiB)",
        "all_mib": "all pods, idle (MiB)",
        "loaded_mib": "all pods, after load (MiB)",
        "processes": "processes",
    }
    yield from _facts("Pods", data["pods"], columns)
    columns = {"files": "files", "plain_bytes": "bytes", "gzip_bytes": "bytes with gzip"}
    yield from _facts("First page of the UI", data["ui"], columns)
    columns = {
        "mib": "MiB",
        "up_mib_per_second": "up (MiB/s)",
        "up_memory_mib": "memory before (MiB)",
        "up_peak_mib": "peak (MiB)",
        "down_mib_per_second": "down (MiB/s)",
        "down_memory_mib": "memory before (MiB)",
        "down_peak_mib": "peak (MiB)",
    }
    yield from _facts("A large artifact", data["artifacts"], columns)


def _facts(title: str, peers: dict[str, dict[str, float]], columns: dict[str, str]) -> Iterator[str]:
    if peers:
        yield f"## {title}"
        rows = [
            (TITLES[name], *(number(facts[key]) if key in facts else "-" for key in columns))
            for name, facts in peers.items()
        ]
        yield table(("", *columns.values()), rows)


def _pythons(data: dict[str, Any]) -> Iterator[str]:
    """The table of the images of two Pythons, which have a run of their own."""
    yield "## Python 3.13 beside 3.11"
    yield (
        "MLflow's own server, without this chart's fast paths, in images of two Pythons and Debians.\n"
        f"Measured on {data['date']} UTC at commit `{data['commit']}` with MLflow {data['mlflow']}\n"
        f"(load {data['machine']['load']} at the start). {data['note']} To repeat it:\n"
        '`make benchmark BENCHMARK="--only python --output benchmarks/results/python.json"`.'
    )
    yield _group(figures(data))


def _failures(data: dict[str, Any]) -> Iterator[str]:
    if data["failures"]:
        yield "## What failed in this run"
        yield "\n".join(f"- {each['what']}: `{each['error']}`" for each in data["failures"])


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write(
    results: Annotated[Path, typer.Argument(help="The file of the results.")] = LATEST,
) -> None:
    """Write docs/performance.md, its plots, and the sentence of the READMEs."""
    data = json.loads(results.read_text())
    PAGE.write_text(page(data))
    write_plots(data, PAGE.parent / "images")
    write_sentences(data)
