"""Turns that make readers stop are not in the repository: each has a plain word."""

import re
import subprocess
from functools import cache

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
    r"\bschema step\b": "migration",
    r"\bpods? (?:that )?(?:is leaving|are leaving|leaves?)\b(?! to| it| the| alone| a| its)": "terminating",
    r"(?<!\.)\btells?\b(?!\()": "reports, prints, shows or says",
    r"\bpatience\b": "timeout",
    r"\bfor good\b(?! calls)": "permanently",
    r"\b(?:Kubernetes'|operator's|API's|cron's) (?:own )?form\b": "the name of the field, or 'Cron schedule'",
    r"\b(?:was|were) not at hand\b": "the tests do not run on it",
    r"\bleads? (?:nowhere|to nothing)\b": "has no effect, or cannot reach",
    r"\b(?:is|are) there already\b": "exists",
    r"\bat the most\b": "at most",
    r"\bin no time\b": "quickly",
    r"\bmore than a host name\b": "not only a host name",
    r"\bslash too many\b": "a superfluous slash",
    # In quotes or with a hyphen it is a name.
    r"(?<![\"'-])\b(?:some|every|any)body\b(?![\"'-])": "a user, a client, an attacker",
    # As a name in quotes or in an address it is a user.
    r"(?<![\"'`/=*{-])\bnobody\b(?![\"'`{-]|\b = )(?!\w)": "no client, or the passive",
}
TEXT = (".go", ".json", ".md", ".py", ".sh", ".toml", ".tpl", ".txt", ".yaml")
# This file, and what others wrote.
EXCEPT = ("tests/repository/test_words.py", "CHANGELOG.md")


@cache
def lines() -> list[tuple[str, str]]:
    """Where each line is, and the line."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if name.endswith(TEXT) and name not in EXCEPT]
    return [
        (f"{name}:{number}", line.strip())
        for name in names
        for number, line in enumerate((REPO / name).read_text().splitlines(), 1)
    ]


@pytest.mark.parametrize("pattern", INSTEAD)
def test_the_plain_word_is_used(pattern: str) -> None:
    forbidden = re.compile(pattern, re.IGNORECASE)
    found = [f"{where}: {line}" for where, line in lines() if forbidden.search(line)]
    assert not found, f"write {INSTEAD[pattern]!r} instead:\n" + "\n".join(found)
