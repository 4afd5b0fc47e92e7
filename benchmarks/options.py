"""What one run does."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlflowops.paths import REPO

from benchmarks.cases import CASES
from benchmarks.cases.case import Case
from benchmarks.load.ids import LARGE, MIDDLE, SIZES, Size

LATEST = REPO / "benchmarks/results/latest.json"
Step = tuple[Case, int]
OTHERS = 3
APART = ("login", "indexed", "python")
GROUPS = ("pods", *dict.fromkeys(case.group for case in CASES), "artifacts")
# `python` has a run and results of its own: its calls are those of other groups.
USUAL = tuple(group for group in GROUPS if group != "python")


@dataclass(frozen=True)
class Options:
    """Which groups, peers and sizes, and for how long."""

    groups: tuple[str, ...] = USUAL
    peers: tuple[str, ...] = ()
    max_runs: int = LARGE.runs
    rounds: int = 0
    minutes: float = 25
    output: Path = LATEST
    note: str = ""
    mib: int = 1024
    keep: bool = False

    def steps(self) -> tuple[list[Step], list[Step]]:
        """Return the cases with their numbers of clients: those that targets name, then the others."""
        chosen = sorted((step for step in self._chosen() if step[0].group not in APART), key=_priority)
        urgent = [step for step in chosen if _priority(step) < OTHERS]
        return urgent, chosen[len(urgent) :]

    def steps_apart(self, group: str) -> list[Step]:
        """Return the cases of a group that has servers of its own."""
        return [step for step in self._chosen() if step[0].group == group]

    def _chosen(self) -> Iterator[Step]:
        for case in CASES:
            if case.group in self.groups and case.runs <= self.max_runs:
                yield from ((case, clients) for clients in case.clients)

    def sizes(self, at_least: int, at_most: int) -> list[Size]:
        """Return the sizes of experiments between two numbers of runs that some case needs."""
        needed = {case.runs for case in CASES if case.group in self.groups} | {10**3}
        return [
            size
            for size in SIZES
            if at_least <= size.runs <= min(at_most, self.max_runs) and size.runs in needed
        ]


def _priority(step: Step) -> int:
    case, clients = step
    if case.group == "big":
        return 2 if case.runs > MIDDLE.runs else OTHERS
    return {8: 0, 100: 1}.get(clients, OTHERS)
