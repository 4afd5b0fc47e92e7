"""What a run of the benchmark does, and in which order."""

import pytest

from benchmarks.options import APART, GROUPS, Options
from benchmarks.report.verdicts import TARGETS


def names(steps: list) -> set[tuple[str, int, int]]:
    return {(case.name, clients, case.runs) for case, clients in steps}


def test_targets_come_before_all_that_may_be_left_out() -> None:
    urgent, others = Options().steps()
    wanted = {
        (case, target["clients"], target.get("runs", 1000))
        for target in TARGETS["calls"]
        for case in target["cases"]
    }
    assert wanted <= names(urgent) | names(Options().steps_apart("login"))
    assert not wanted & names(others)
    assert {clients for _, clients in others} == {1, 40}


@pytest.mark.parametrize("group", [each for each in GROUPS if each not in ("pods", "artifacts")])
def test_only_one_group(group: str) -> None:
    options = Options(groups=(group,))
    urgent, others = options.steps()
    apart = [step for each in APART for step in options.steps_apart(each)]
    assert {case.group for case, _ in [*urgent, *others, *apart]} == {group}


def test_sizes_that_no_case_needs_are_not_loaded() -> None:
    everything, small = Options(), Options(groups=("writes",))
    assert [size.runs for size in everything.sizes(0, 10**6)] == [10**3, 10**3, 10**5, 10**6]
    assert [size.name for size in small.sizes(0, 10**6)] == ["small", "writes"]
    assert [size.runs for size in Options(max_runs=10**5).sizes(1001, 10**6)] == [10**5]
