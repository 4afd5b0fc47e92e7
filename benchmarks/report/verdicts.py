"""Which targets are met, and why others are not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.report.digits import number
from benchmarks.report.figures import Call, Figure, figures

TARGETS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("targets.yaml").read_text())
REASONS: list[dict[str, str]] = yaml.safe_load(Path(__file__).with_name("reasons.yaml").read_text())
OURS, THEIRS = "ours", "official"


@dataclass(frozen=True)
class Verdict:
    """One line of the table of targets."""

    figure: str
    ours: str
    theirs: str
    reached: str
    target: str
    met: bool | None

    @property
    def word(self) -> str:
        """How the table says it."""
        return {True: "met", False: "**not met**", None: "not measured"}[self.met]


def verdicts(data: dict[str, Any]) -> Iterator[Verdict]:
    """Yield a verdict for each target."""
    measured = figures(data)
    for target in TARGETS["calls"]:
        for case in target["cases"]:
            yield from _of_call(target, case, measured)
    for target in TARGETS["facts"]:
        yield _of_fact(target, data)


def unmet(data: dict[str, Any]) -> dict[str, list[str]]:
    """Return the figures whose target is not met, by their reason, which is empty where none is known."""
    found: dict[str, list[str]] = {}
    for each in verdicts(data):
        if each.met is False:
            fits = (reason["why"] for reason in REASONS if re.search(reason["figures"], each.figure))
            found.setdefault(next(fits, ""), []).append(each.figure)
    return found


def _of_call(target: dict[str, Any], case: str, measured: dict[Call, dict[str, Figure]]) -> Iterator[Verdict]:
    title, peers = _found(target, case, measured)
    ours, theirs = _pair(peers)
    if "times" in target:
        yield _rate(f"{title} (1/s)", target["times"], ours, theirs)
    if "p99" in target:
        yield _slowest(f"{title}, p99 (ms)", target["p99"], ours, theirs)
    if "errors" in target:
        yield _absolute(f"{title}, errors", "errors", f"{target['errors']}", target["errors"], ours, theirs)
    if "p95_ms" in target:
        goal = f"<= {target['p95_ms']} ms"
        yield _absolute(f"{title}, p95 (ms)", "p95", goal, target["p95_ms"], ours, theirs)
    if "units_per_second" in target:
        yield _spans(f"{title}, spans (1/s)", target["units_per_second"], ours, theirs)


def _found(
    target: dict[str, Any], case: str, measured: dict[Call, dict[str, Figure]]
) -> tuple[str, dict[str, Figure]]:
    runs, clients = target.get("runs", 1000), target["clients"]
    title = f"{case}, {clients} client{'s' if clients > 1 else ''}"
    title += f", {number(runs)} runs" if "runs" in target else ""
    for call, peers in measured.items():
        if (call.name, call.runs, call.clients) == (case, runs, clients):
            return title, peers
    return title, {}


def _pair(peers: dict[str, Figure]) -> tuple[Figure | None, Figure | None]:
    """Return our figure and theirs; with a login the community's, as the official chart has none."""
    ours, theirs = peers.get(OURS), peers.get(THEIRS)
    return ours or peers.get("ours-login"), theirs or peers.get("community-login")


def _rate(title: str, goal: float, ours: Figure | None, theirs: Figure | None) -> Verdict:
    if not ours or not theirs or not theirs.per_second:
        return _missing(title, f">= {goal}x")
    times = ours.per_second / theirs.per_second
    words = number(ours.per_second), number(theirs.per_second), f"{number(times)}x"
    return Verdict(title, *words, f">= {goal}x", times >= goal)


def _slowest(title: str, goal: float, ours: Figure | None, theirs: Figure | None) -> Verdict:
    if not ours or not theirs or not theirs.p99:
        return _missing(title, f"<= 1/{1 / goal:.0f}")
    share = ours.p99 / theirs.p99
    words = number(ours.p99), number(theirs.p99), f"1/{number(1 / share) if share else '-'}"
    return Verdict(title, *words, f"<= 1/{1 / goal:.0f}", share <= goal)


def _absolute(
    title: str, name: str, words: str, goal: float, ours: Figure | None, theirs: Figure | None
) -> Verdict:
    if not ours:
        return _missing(title, words)
    value, other = getattr(ours, name), getattr(theirs, name) if theirs else None
    shown = number(other) if other is not None else "-"
    return Verdict(title, number(value), shown, number(value), words, value <= goal)


def _spans(title: str, goal: float, ours: Figure | None, theirs: Figure | None) -> Verdict:
    if not ours:
        return _missing(title, f">= {goal}")
    value, other = ours.units_per_second, theirs.units_per_second if theirs else 0
    return Verdict(title, number(value), number(other), number(value), f">= {goal}", value >= goal)


def _of_fact(target: dict[str, Any], data: dict[str, Any]) -> Verdict:
    peers = data[target["section"]]
    ours, theirs = (peers.get(name, {}).get(target["key"]) for name in (OURS, THEIRS))
    at_most = target.get("at_most")
    goal = f"<= {number(at_most)}" if at_most else f"<= 1/{target['less']}"
    if not ours or not (at_most or theirs):
        return _missing(target["figure"], goal)
    shown = number(theirs) if theirs else "-"
    if at_most:
        return Verdict(target["figure"], number(ours), shown, number(ours), goal, ours <= at_most)
    times = theirs / ours
    met = times >= target["less"]
    return Verdict(target["figure"], number(ours), shown, f"1/{number(times)}", goal, met)


def _missing(title: str, goal: str) -> Verdict:
    return Verdict(title, "-", "-", "-", goal, None)
