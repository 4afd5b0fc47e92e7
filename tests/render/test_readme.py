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


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_anchors_of_links_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*)#([^)]+)\)", page.read_text())
    targets = [(page.parent / path if path else page, anchor) for path, anchor in links]
    assert [anchor for target, anchor in targets if anchor not in anchors(target)] == []


NAMED = re.compile(r"`([\w<][\w.<>-]*(?:/[\w.<>*-]*)+|[\w<>-]+\.(?:json|md|py|sh|tpl|toml|yaml))`")
TOP = ("benchmarks", "charts", "docs", "environments", "examples", "scripts", "testbed", "tests")
PODS_PYTHON = REPO / "charts/mlflow/files/mlflow_kubernetes"


def missing(names: list[str], *folders: Path) -> list[str]:
    """The paths that are in none of the folders; `<...>` stands for any text."""
    patterns = {name: re.sub("<[^>]*>", "*", name).rstrip("/") for name in names}
    return [name for name in names if not any(any(each.glob(patterns[name])) for each in folders)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_paths_from_the_top_exist(page: Path) -> None:
    names = [name for name in NAMED.findall(page.read_text()) if "/" in name and name.split("/")[0] in TOP]
    assert missing(names, REPO) == []


def test_every_path_in_the_architecture_exists() -> None:
    names = NAMED.findall((REPO / "docs/architecture.md").read_text())
    assert len(names) > 40
    assert missing(names, REPO, PODS_PYTHON) == []


def test_the_paths_test_finds_what_is_missing() -> None:
    assert missing(["docs/no-such-page.md", "docs/no-<such>.md", "docs/"], REPO) == [
        "docs/no-such-page.md",
        "docs/no-<such>.md",
    ]
