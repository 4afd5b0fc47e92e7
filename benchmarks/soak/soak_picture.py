"""The picture of a soak, as SVG with text that browsers draw."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing

from benchmarks.report.plots import BLUE, GREY, ORANGE
from benchmarks.soak.samples import by_pod


def draw(data: dict[str, Any], path: Path) -> None:
    """Write the picture: rate, latency, connections and memory by time."""
    # The same series gives the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "soak", "font.size": 9}):
        drawing = Drawing(figsize=(8, 8), layout="constrained")
        plots = drawing.subplots(4, 1, sharex=True)
        _rate(plots[0], data)
        _latency(plots[1], data)
        _connections(plots[2], data)
        _memory(plots[3], data)
        for axes in plots:
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_ylim(bottom=0)
            for each in data["rollouts"]:
                start = _minute(data, each["at"])
                axes.axvspan(start, start + each["seconds"] / 60, color=GREY, alpha=0.25, linewidth=0)
        plots[3].set_xlabel("minutes; a rollout is grey")
        drawing.savefig(path, metadata={"Date": None, "Creator": None})


def _minute(data: dict[str, Any], at: float) -> float:
    return (at - data["began"]) / 60


def _rate(axes: Any, data: dict[str, Any]) -> None:
    pairs = zip(data["windows"], data["windows"][1:], strict=False)
    found = [(_minute(data, now[0]), now[1] / (now[0] - last[0])) for last, now in pairs if now[0] > last[0]]
    axes.plot([x for x, _ in found], [y for _, y in found], color=BLUE)
    axes.axhline(data["rate"], color=GREY, linestyle=":")
    axes.set_ylabel("requests/s")


def _latency(axes: Any, data: dict[str, Any]) -> None:
    minutes = [_minute(data, each[0]) for each in data["windows"]]
    for place, name, color in ((3, "p50", BLUE), (5, "p99", ORANGE)):
        axes.plot(minutes, [each[place] for each in data["windows"]], color=color, label=name)
    axes.set_ylabel("ms")
    axes.legend(frameon=False, loc="upper right")


def _connections(axes: Any, data: dict[str, Any]) -> None:
    samples = data["samples"]
    axes.plot(
        [_minute(data, each["at"]) for each in samples], [each["connections"] for each in samples], color=BLUE
    )
    axes.set_ylabel("connections")


def _memory(axes: Any, data: dict[str, Any]) -> None:
    for pod, points in by_pod(data["samples"]).items():
        color = ORANGE if "exporter" in pod else BLUE
        axes.plot([_minute(data, at) for at, _ in points], [mib for _, mib in points], color=color)
    axes.set_ylabel("MiB of each pod\n(exporter orange)")
