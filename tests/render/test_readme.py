"""What is written down is true: the chart's README is its values, and links lead somewhere."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from mlflowops.paths import REPO

from testbed import tools

PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "charts/mlflow/*.md",
        "testbed/*.md",
        "testbed/charts/*/*.md",
        "testbed/cluster/*.md",
        "benchmarks/*.md",
        "examples/**/*.md",
    )
    for page in REPO.glob(pattern)
)


def test_the_charts_readme_is_generated(tmp_path: Path) -> None:
    """`make docs` would change nothing."""
    chart = tmp_path / "mlflow"
    shutil.copytree(REPO / "charts/mlflow", chart)
    command = [tools.ensure("helm-docs"), "--chart-search-root", chart, "--sort-values-order", "file"]
    subprocess.run(command, check=True, capture_output=True)
    assert (chart / "README.md").read_text() == (REPO / "charts/mlflow/README.md").read_text(), (
        "run `make docs`"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    inside = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in inside if not (page.parent / link).exists()] == []
