"""A reader sees what a pod is without opening many helpers: the numbers never rise above these."""

import re

import pytest

from render.reach import TEMPLATES, reached, table

HELPERS, FILES = 21, 6


@pytest.mark.parametrize("name", table())
def test_a_pod_is_read_in_few_places(name: str) -> None:
    helpers, files = table()[name]
    assert helpers <= HELPERS and files <= FILES


def test_helpers_of_helpers_count() -> None:
    found = reached(TEMPLATES / "server/deployment.yaml")
    assert "mlflow.hosts" not in (TEMPLATES / "server/deployment.yaml").read_text()
    assert found["mlflow.hosts"] == TEMPLATES / "_lib/_release.tpl"


def test_no_helper_is_called_by_a_computed_name() -> None:
    """Such a call would not count. Validation, which no pod is made of, goes through a list of names."""
    for path in sorted(TEMPLATES.rglob("*")):
        if path.is_file() and path.relative_to(TEMPLATES).parts[0] != "_validate":
            assert re.findall(r'(?:include|template) (?!"mlflow\.[\w.]+")\S+', path.read_text()) == [], path
