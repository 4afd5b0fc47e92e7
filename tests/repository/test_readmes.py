"""README.md is short, and README.es.md says the same: sections, commands, tables and links."""

import re

import pytest
from mlflowops.paths import REPO

ENGLISH, SPANISH = ((REPO / name).read_text() for name in ("README.md", "README.es.md"))
BOTH = pytest.mark.parametrize("text", [ENGLISH, SPANISH], ids=["en", "es"])


def commands(text: str) -> list[str]:
    """The lines of the code blocks, without their comments."""
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]


def shape(text: str) -> list[str]:
    """Level of each heading, and number of columns of each row of a table."""
    lines = [line for line in text.splitlines() if line.startswith(("#", "|", "- ", "!["))]
    return [
        line.split()[0] if line[0] in "#-" else f"{line.count('|')} columns" if line[0] == "|" else "picture"
        for line in lines
    ]


@BOTH
def test_it_has_at_most_120_lines(text: str) -> None:
    assert len(text.splitlines()) <= 120


def test_both_have_the_same_commands() -> None:
    assert commands(ENGLISH) == commands(SPANISH)
    assert len(commands(ENGLISH)) > 8


def test_both_have_the_same_shape() -> None:
    assert shape(ENGLISH) == shape(SPANISH)


def test_both_have_the_same_links_and_names() -> None:
    for pattern in (r"\]\(([^)]+)\)", r"`([^`\n]+)`"):
        english, spanish = (sorted(re.findall(pattern, text)) for text in (ENGLISH, SPANISH))
        assert [each.replace("README.es.md", "README.md") for each in english] == sorted(spanish)
