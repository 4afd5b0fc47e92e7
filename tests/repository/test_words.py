"""Turns that make readers stop are not in the repository: each has a plain word."""

import re
import subprocess

import pytest
from mlflowops.paths import REPO

INSTEAD = {
    r"\banew\b": "again",
    r"\bwhoever\b": "the person or the program",
    r"\bmany an? (?!time)": "most, or many",
    r"\bin words(?:[;,]|\.(?!\w))": "with a sentence",
    r"\bfor ever\b": "without end, or always",
    r"\b(?:Secret|claim|object|one|name|key)s? of yours\b": "your, or an existing",
    r"\bfor who (?:choose|want|need)s\b": "for people who",
    r"\bwithout a word\b": "without a message",
    r"\bknows no\b": "has no, or supports no",
    r"\bhow fast pods come and go\b": "scaling behavior",
    # As a name in quotes or in an address it is a user.
    r"(?<![\"'`/=*{-])\bnobody\b(?![\"'`{-]|\b = )(?!\w)": "no client, or the passive",
}
TEXT = (".go", ".json", ".md", ".py", ".sh", ".toml", ".tpl", ".txt", ".yaml")
# This file, and what others wrote.
EXCEPT = ("tests/repository/test_words.py", "CHANGELOG.md")


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if name.endswith(TEXT) and name not in EXCEPT]


@pytest.mark.parametrize("pattern", INSTEAD)
def test_the_plain_word_is_used(pattern: str) -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in tracked()
        for number, line in enumerate((REPO / name).read_text().splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, f"write {INSTEAD[pattern]!r} instead:\n" + "\n".join(found)
