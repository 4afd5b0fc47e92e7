"""Plots of the page, as SVG with text that browsers draw."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing

from benchmarks.report.figures import Call, Figure, figures
from benchmarks.report.verdicts import OURS, THEIRS

BLUE, GREY, ORANGE = "#1f6feb", "#8b949e", "#d9822b"


def write_plots(data: dict[str, Any], folder: Path) -> None:
    """Write performance-calls.svg and performance-searches.svg."""
    measured = figures(data)
    # The same results give the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "benchmark", "font.size": 9}):
        for name, drawing in (("calls", _calls(measured)), ("searches", _searches(measured))):
            drawing.savefig(folder / f"performance-{name}.svg", metadata={"Date": None, "Creator": None})


def _calls(measured: dict[Call, dict[str, Figure]]) -> Drawing:
    """How many times as many requests a second as the official chart, by call."""
    times = {
        f"{call.name}, {call.clients} clients": peers[OURS].per_second / peers[THEIRS].per_second
        for call, peers in measured.items()
        if call.group not in ("big", "login") and call.clients in (8, 100)
        if OURS in peers and THEIRS in peers and peers[THEIRS].per_second
    }
    drawing = Drawing(figsize=(8, 1 + 0.24 * len(times)), layout="constrained")
    axes = drawing.subplots()
    bars = axes.barh(list(times), list(times.values()), color=BLUE)
    axes.bar_label(bars, fmt="%.1fx", padding=3)
    axes.axvline(1, color=GREY)
    axes.margins(x=0.1)
    axes.invert_yaxis()
    axes.set_xlabel("requests per second: this chart / official chart")
    axes.spines[["top", "right"]].set_visible(False)
    return drawing


def _searches(measured: dict[Call, dict[str, Figure]]) -> Drawing:
    """Median of a page of 100 runs, by filter and by size of the experiment."""
    big = {call: peers for call, peers in measured.items() if call.group == "big"}
    names = list(dict.fromkeys(call.name for call in big))
    drawing = Drawing(figsize=(8, 3.5), layout="constrained")
    axes = drawing.subplots()
    sizes = sorted({call.runs for call in big})
    for offset, (peer, runs) in enumerate([(peer, runs) for peer in (OURS, THEIRS) for runs in sizes]):
        found = {
            call.name: peers[peer].p50 for call, peers in big.items() if call.runs == runs and peer in peers
        }
        places = [names.index(name) + 0.2 * (offset - 1.5) for name in found]
        shade = 1.0 if runs == max(sizes) else 0.5
        label = f"{'this chart' if peer == OURS else 'official chart'}, {runs:,} runs"
        axes.bar(
            places,
            list(found.values()),
            0.18,
            color=BLUE if peer == OURS else ORANGE,
            alpha=shade,
            label=label,
        )
    axes.set_xticks(range(len(names)), [name.replace(" (", "\n(") for name in names])
    axes.set_ylabel("ms, median, one client")
    if big:
        axes.set_yscale("log")
        axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return drawing
