"""The tests that tests/long_tests.py and the pages of faults and upgrades name exist."""

import functools
import re
import subprocess
import sys

import pytest
from e2e.faults import report as faults
from e2e.upgrades import report as upgrades
from long_tests import LONG, is_long
from mlflowops.paths import REPO

NAMED = ("e2e/faults", "e2e/upgrades", *sorted({file for file, _, _ in LONG}))


@functools.cache
def collected() -> list[tuple[str, str]]:
    """File below tests/ and name, with its case in brackets, of each test: one run of pytest."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *NAMED]
    done = subprocess.run(command, cwd=REPO / "tests", capture_output=True, text=True)
    lines = [line.removeprefix("tests/") for line in done.stdout.splitlines() if "::" in line]
    assert len(lines) > 400, done.stdout + done.stderr
    return [(file, test) for file, _, test in (line.partition("::") for line in lines)]


@pytest.mark.parametrize(
    ("folder", "tests"),
    [
        ("e2e/faults", {each["test"] for each in faults.read()}),
        ("e2e/upgrades", {each["test"] for each in upgrades.outcomes()}),
    ],
    ids=["faults", "upgrades"],
)
def test_each_line_of_a_page_can_be_repeated(folder: str, tests: set[str]) -> None:
    there = {test for file, test in collected() if file.startswith(folder)}
    assert tests and tests <= there


@pytest.mark.parametrize(("file", "name", "cases"), LONG, ids=lambda part: part)
def test_a_line_of_long_tests_names_some_and_leaves_others(file: str, name: str, cases: str) -> None:
    tests = [test.removesuffix("]").partition("[") for path, test in collected() if path == file]
    long = [test for test, _, case in tests if is_long(file, test, case)]
    assert any(re.fullmatch(name, test) for test in long), (name, cases)
    assert len(long) < len(tests), "the file has nothing left for `make test`"
