"""Pages for people who install and repair name keys of the values and tests that exist."""

import re
from pathlib import Path

import pytest
import yaml
from mlflowops.migrate_values.tables import is_known
from mlflowops.paths import REPO

DOCS = REPO / "docs"
PAGES = [
    DOCS / "checklist.md",
    DOCS / "support.md",
    DOCS / "troubleshooting.md",
    *sorted((DOCS / "install").glob("*.md")),
]
SECTIONS = set(yaml.safe_load((REPO / "charts/mlflow/values.yaml").read_text()))
KEY = re.compile(r"`([a-z]\w*(?:\.\w+)+)(?:: [^`]*)?`")
TEST = re.compile(r"`(?:tests/)?(\w+/test_\w+\.py)(?:::(test_\w+))?`")


def keys(text: str) -> set[str]:
    """What looks like a key: its first part is a section of the values, and it is no file."""
    found = {key for key in KEY.findall(text) if key.split(".")[0] in SECTIONS}
    # The module mlflow has the name of a section.
    return {key for key in found if not key.endswith((".yaml", ".md", ".py")) and "sklearn" not in key}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_key_is_one_of_the_chart(page: Path) -> None:
    assert {key for key in keys(page.read_text()) if not is_known(key)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_is_there(page: Path) -> None:
    for file, function in TEST.findall(page.read_text()):
        text = (REPO / "tests" / file).read_text()
        assert not function or f"\ndef {function}(" in text, f"{file}::{function}"


def test_keys_are_found() -> None:
    assert keys("`tmp.sizeLimit` `mlflow.yaml` `auth.mode: basic` `no.such.section`") == {
        "tmp.sizeLimit",
        "auth.mode",
    }
    assert not is_known("auth.no_such_key")
    assert sum(len(keys(page.read_text())) for page in PAGES) > 40
