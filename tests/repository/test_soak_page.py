"""docs/soak.md is what its series gives, and a soak that lost something is not printed as a good one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak.samples import slopes
from benchmarks.soak.soak_page import LATEST_SOAK, SOAK_PAGE, figures_of, soak_page
from benchmarks.soak.soak_picture import draw


@pytest.fixture
def series() -> dict[str, Any]:
    return json.loads(LATEST_SOAK.read_text())


def test_the_page_is_generated(series: dict[str, Any]) -> None:
    assert SOAK_PAGE.read_text() == soak_page(series), "run `python -m benchmarks.soak.soak_page`"


def test_the_picture_is_generated(series: dict[str, Any], tmp_path: Path) -> None:
    draw(series, tmp_path / "soak.svg")
    ours, theirs = (
        path.read_text() for path in (SOAK_PAGE.parent / "images/soak.svg", tmp_path / "soak.svg")
    )
    words = re.findall(r"<text[^>]*>([^<]*)</text>", ours)
    assert words == re.findall(r"<text[^>]*>([^<]*)</text>", theirs) != []


def test_errors_are_shown(series: dict[str, Any]) -> None:
    found = dict(figures_of({**series, "errors": 3, "restarts": 2, "lost": ["a run"], "doubled": []}))
    assert (found["errors"], found["restarts of containers"]) == ("3", "2")
    assert found["acknowledged, lost, doubled"].endswith(", 1, 0")


def sample(at: int, **mib: float) -> dict[str, Any]:
    return {"at": at, "memory_mib": mib, "connections": 1}


def test_the_slope_of_a_pods_memory() -> None:
    """Per hour, without its first minute, and of no pod that lived shorter than three."""
    samples = [sample(at, grows=100 + at / 36 + (50 if at < 60 else 0)) for at in range(0, 601, 15)]
    samples += [sample(at, brief=100 + at) for at in range(0, 121, 15)]
    (found,) = slopes(samples)
    assert found[0] == "grows" and found[1] == 10
    assert found[3] == pytest.approx(100)
