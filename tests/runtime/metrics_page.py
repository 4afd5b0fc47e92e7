"""What docs/metrics.md says about a metric, and whether a scrape agrees."""

import re
from functools import cache

from mlflowops.paths import REPO

PAGE = REPO / "docs/metrics.md"
ROW = re.compile(r"^\| `(mlflow_\w+)` \| (\w+) \| (.*?) \| ", re.MULTILINE)
TYPE = re.compile(r"^# TYPE (mlflow_\w+) (\w+)$", re.MULTILINE)
# Parts of a histogram, and the process that a counter began in.
PARTS = re.compile("_(?:bucket|sum|count|created)$")
Described = tuple[str, frozenset[str]]


@cache
def described() -> dict[str, Described]:
    """Type and labels of each metric of the page."""
    rows = ROW.findall(PAGE.read_text())
    assert len(rows) == len({name for name, _, _ in rows}) > 40
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def differences(text: str) -> list[str]:
    """What a scrape has and the page has not, or has otherwise."""
    types = dict(TYPE.findall(text))
    found = {}
    for name, labels in re.findall(r"^(mlflow_\w+)(\{.*\})? ", text, re.MULTILINE):
        whole = PARTS.sub("", name) if PARTS.sub("", name) in types else name
        # Client libraries write the type of a counter with and without its suffix.
        kind = types.get(whole) or types.get(whole.removesuffix("_total"), "untyped")
        if not name.endswith("_created"):
            found[whole] = (kind, frozenset(re.findall(r'[{,](\w+)="', labels)) - {"le", "pid"})
    return sorted(f"{name}: {is_}" for name, is_ in found.items() if described().get(name) != is_)
