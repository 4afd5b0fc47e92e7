"""docs/migrating-kubeflow.md and -open-data-hub.md: what changes leads to keys of this chart."""

import re

import pytest
from mlflowops.migrate_values.tables import is_known
from mlflowops.paths import REPO

PAGES = {name: (REPO / f"docs/migrating-{name}.md").read_text() for name in ("kubeflow", "open-data-hub")}


@pytest.mark.parametrize("name", PAGES)
def test_the_table_leads_to_keys_of_the_chart(name: str) -> None:
    section = PAGES[name].split("## What changes")[1].split("## Example")[0]
    here = "".join(row.split(" | ")[1] for row in section.splitlines() if row.startswith("| "))
    named = re.findall(r"`([a-z]\w+(?:\.\w+)+)`", here)
    assert len(named) > 5
    assert [key for key in named if not is_known(key)] == []
