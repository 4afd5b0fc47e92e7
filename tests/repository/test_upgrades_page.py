"""docs/upgrades.md is what its results give."""

from typing import Any

import pytest
from e2e.upgrades import report

OUTCOME = {
    "test": "test_upgrade[0.1.0-helm-4]", "step": 1, "before": "0.1.0", "after": "0.2.0",
    "way": "`helm upgrade`", "requests": 9, "refused": {}, "slowest": 1.0, "pause": 0.5, "lasted": 40.0,
    "restarts": 0, "acknowledged": 5, "lost": [], "doubled": [], "commit": "abc", "date": "2026-01-31",
}  # fmt: skip


def other(**facts: Any) -> dict[str, Any]:
    return {**OUTCOME, **facts}


def test_the_page_is_generated() -> None:
    assert report.PAGE.read_text() == report.page(report.outcomes()), "run `python -m e2e.upgrades.report`"


@pytest.mark.parametrize("what", ["lost", "doubled"])
def test_a_loss_is_published(what: str) -> None:
    outcomes = [OUTCOME, other(step=2, **{what: ["run 1"]})]
    assert (
        f"10 acknowledged writes: {int(what == 'lost')} lost, {int(what == 'doubled')} doubled"
        in report.summary(outcomes)
    )


def test_refused_requests_are_published() -> None:
    line = report.page([other(refused={"503": 2, "no answer": 1})]).splitlines()[-1]
    assert "| 2 503, 1 no answer |" in line


def test_a_new_outcome_replaces_that_of_the_same_step() -> None:
    found = report.merged([OUTCOME, other(step=2)], [other(slowest=2.0)])
    assert [(each["step"], each["slowest"]) for each in found] == [(1, 2.0), (2, 1.0)]
