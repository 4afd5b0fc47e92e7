"""docs/performance.md is what its results give."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mlflowops.paths import REPO

from benchmarks.cases import CASES
from benchmarks.options import LATEST
from benchmarks.report.page import PAGE, page
from benchmarks.report.plots import write_plots
from benchmarks.report.sentence import SENTENCES, ratios
from benchmarks.report.verdicts import TARGETS, unmet, verdicts


@pytest.fixture
def results() -> dict[str, Any]:
    return json.loads(LATEST.read_text())


def words(plot: Path) -> list[str]:
    """The text of a plot."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", plot.read_text())


def test_the_page_is_generated(results: dict[str, Any]) -> None:
    assert PAGE.read_text() == page(results), "run `python -m benchmarks.report`"


@pytest.mark.parametrize("name", ["performance-calls.svg", "performance-searches.svg"])
def test_the_plots_are_generated(results: dict[str, Any], name: str, tmp_path: Path) -> None:
    write_plots(results, tmp_path)
    assert words(PAGE.parent / "images" / name) == words(tmp_path / name) != []


@pytest.mark.parametrize("page", SENTENCES)
def test_the_readmes_have_the_figures(results: dict[str, Any], page: str) -> None:
    assert SENTENCES[page].format(**ratios(results)) in (REPO / page).read_text(), (
        "run `python -m benchmarks.report`"
    )


def test_every_target_that_is_not_met_has_a_reason(results: dict[str, Any]) -> None:
    assert "" not in unmet(results)


def test_every_target_names_a_case() -> None:
    known = {(case.name, clients, case.runs) for case in CASES for clients in case.clients}
    named = {
        (case, target["clients"], target.get("runs", 1000))
        for target in TARGETS["calls"]
        for case in target["cases"]
    }
    assert named - known == set()


TIMES = {"p50": 1, "p95": 2, "p99": 4, "server_cpu_ms": 1, "database_cpu_ms": 1}
SLICE = {"case": "get run", "group": "writes", "runs": 1000, "units": 1, "clients": 8, "seconds": 1, **TIMES}


def slice_of(peer: str, **more: Any) -> dict[str, Any]:
    return {**SLICE, "peer": peer, "requests": 100, "errors": 0, **more}


@pytest.mark.parametrize(
    ("ours", "met"),
    [({"requests": 500}, True), ({"requests": 499}, False), ({"requests": 600, "errors": 101}, False)],
)
def test_a_target_is_met_at_its_number(ours: dict[str, int], met: bool) -> None:
    """Five times as many requests a second, errors not counted."""
    data = {"slices": [slice_of("ours", **ours), slice_of("official")], "pods": {}, "ui": {}}
    found = {each.figure: each for each in verdicts(data)}
    assert found["get run, 8 clients (1/s)"].met is met
    assert found["get run, 8 clients, p99 (ms)"].met is False
    assert found["set tag, 8 clients (1/s)"].met is None


@pytest.mark.parametrize(("mib", "met"), [(230, True), (231, False)])
def test_memory_is_a_target(mib: int, met: bool) -> None:
    pods = {"ours": {"server_mib": mib, "all_mib": 250}, "official": {"server_mib": 2500, "all_mib": 2500}}
    found = {each.figure: each for each in verdicts({"slices": [], "pods": pods, "ui": {}})}
    assert found["idle memory of the server's pod (MiB)"].met is met
    assert found["idle memory of all pods (MiB)"].met is True
    assert found["first page of the UI, with gzip (bytes)"].met is None
