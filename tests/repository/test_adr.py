"""docs/adr: numbered without a gap, each with the same sections, all in the list of README.md."""

import re

from mlflowops.paths import REPO

FOLDER = REPO / "docs/adr"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))


def test_numbers_have_no_gap_and_are_in_the_title() -> None:
    numbers = [int(page.name[:4]) for page in PAGES]
    assert numbers == [*range(1, len(PAGES) + 1)]
    assert len(PAGES) >= 10
    for number, page in zip(numbers, PAGES, strict=True):
        assert page.read_text().startswith(f"# {number}. "), page.name


def test_each_states_its_status_context_decision_and_consequences() -> None:
    for page in PAGES:
        text = page.read_text()
        assert re.search(
            r"^Status: (accepted|replaced by \[ADR \d+\]\(.+\)), \d{4}-\d{2}", text, re.MULTILINE
        ), page.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert {"Context", "Decision", "Consequences"} <= {*headings}, page.name


def test_the_list_has_every_title() -> None:
    rows = re.findall(
        r"^\| \[(\d+)\]\(([^)]+)\) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    titles = {page.name: page.read_text().splitlines()[0] for page in PAGES}
    assert {name: f"# {number}. {title}" for number, name, title in rows} == titles
