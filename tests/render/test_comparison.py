"""docs/comparison.md claims what tests show: each test that it names is there, and so is each key."""

import re

import pytest
from mlflowops.paths import REPO

from render.chart import MLFLOW
from render.rejections import SENTENCES

PAGE = (REPO / "docs/comparison.md").read_text()
DEFECTS, FEATURES = PAGE.split("## What breaks elsewhere")[1].split("## What others have")
FEATURES = FEATURES.split("\n## ")[0]
TESTS = sorted(set(re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)(?:\[([\w-]+)\])?`", PAGE)))


def rows(table: str) -> list[list[str]]:
    """The cells of each row, headings left out."""
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| **")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[1:]]


@pytest.mark.parametrize(("file", "function", "case"), TESTS)
def test_a_test_that_is_named_is_there(file: str, function: str, case: str) -> None:
    text = (REPO / "tests" / file).read_text()
    assert f"\ndef {function}(" in text
    if case:
        assert case in SENTENCES or f'"{case}": (' in text


def test_every_defect_has_its_test() -> None:
    defects = rows(DEFECTS)
    assert len(defects) > 30
    for elsewhere, here, tests in defects:
        assert (
            elsewhere and here and re.fullmatch(r"(`\w+/test_\w+\.py::test_\w+(\[[\w-]+\])?` ?)+", tests)
        ), tests


def test_every_feature_has_its_test_or_its_reason() -> None:
    """What a key claims is shown by a test of what the release does; what is left out has a reason."""
    features = rows(FEATURES)
    assert len(features) > 30
    for feature, _, keys, remark in features:
        shown = re.search(r"`\w+/test_\w+\.py(?:::test_\w+)?", remark)
        assert shown or (not keys and "](" in remark), feature
        for key in re.findall("`([^`]+)`", keys):
            assert in_values(key), key


def in_values(path: str) -> bool:
    """Below an empty mapping, as `mlflow.env` is, names are the user's."""
    node = MLFLOW.default()
    for key in path.split("."):
        if node == {}:
            return True
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True
