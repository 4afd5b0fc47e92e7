"""docs/reliability.md is what its results give, and the READMEs have its figures."""

from typing import Any

import pytest
from e2e.faults import report
from mlflowops.paths import REPO

OUTCOME = {
    "fault": "Something ends", "test": "test_something", "saw": "Nothing.", "requests": 9, "refused": {},
    "slowest": 1.0, "recovery": 0.0, "restarts": 0, "acknowledged": 5, "lost": [], "doubled": [],
    "commit": "abc", "date": "2026-01-31",
}  # fmt: skip


def other(**facts: Any) -> dict[str, Any]:
    return {**OUTCOME, **facts}


def test_the_page_is_generated() -> None:
    assert report.PAGE.read_text() == report.page(report.read()), "run `python -m e2e.faults.report`"


@pytest.mark.parametrize("name", report.SENTENCES)
def test_the_readmes_have_the_figures_of_the_page(name: str) -> None:
    text = (REPO / name).read_text()
    assert report.with_sentence(name, text, report.read()) == text, "run `python -m e2e.faults.report`"
    assert report.with_sentence(name, text, [OUTCOME]) != text


def test_the_command_chooses_one_value_of_a_parameter() -> None:
    line = report.page([other(test="test_something[killed-synchronous]")]).splitlines()[-1]
    assert "`make faults ONLY='test_something[killed-synchronous]'`" in line


@pytest.mark.parametrize("what", ["lost", "doubled"])
def test_a_loss_is_published(what: str) -> None:
    outcomes = [OUTCOME, other(test="test_other", **{what: ["run 1"]})]
    assert (
        f"10 acknowledged writes: {int(what == 'lost')} lost, {int(what == 'doubled')} doubled"
        in report.summary(outcomes)
    )


def test_a_new_outcome_replaces_the_old_one() -> None:
    found = report.merged([OUTCOME, other(test="test_other")], [other(slowest=2.0)])
    assert [(each["test"], each["slowest"]) for each in found] == [
        ("test_something", 2.0),
        ("test_other", 1.0),
    ]
