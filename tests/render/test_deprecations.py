"""A key of a released chart works for 12 months after the release that has deprecated it."""

import re
import tarfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.migrate_values.tables import is_known
from mlflowops.paths import REPO
from released_charts import ARCHIVES

FILE = Path(__file__).with_name("deprecated.yaml")
LIFE = timedelta(days=365)
CHANGELOG = (REPO / "CHANGELOG.md").read_text()


def released(changelog: str) -> dict[str, date]:
    """The day of each release."""
    found = re.findall(r"(?m)^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", changelog)
    return {version: date.fromisoformat(day) for version, day in found}


def keys(values: dict[str, Any], above: str = "") -> set[str]:
    """The paths of all keys; what is below an empty map is the user's."""
    found = set()
    for key, value in values.items():
        found |= keys(value, f"{above}{key}.") if isinstance(value, dict) and value else {f"{above}{key}"}
    return found


def removed_too_early(gone: set[str], listed: dict[str, dict[str, str]], days: dict[str, date]) -> list[str]:
    """The keys that are gone without 12 months between deprecation and removal."""
    early = []
    for key in sorted(gone):
        entry = listed.get(key, {})
        begin, end = days.get(entry.get("deprecated", "")), days.get(entry.get("removed", ""))
        if begin is None or end is None or end - begin < LIFE or not entry.get("instead"):
            early.append(key)
    return early


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.stem)
def test_no_key_of_a_release_is_gone_too_early(archive: Path) -> None:
    with tarfile.open(archive) as chart:
        file = chart.extractfile("mlflow/values.yaml")
        assert file
        old = keys(yaml.safe_load(file.read()))
    assert len(old) > 100
    gone = {key for key in old if not is_known(key)}
    assert removed_too_early(gone, yaml.safe_load(FILE.read_text()), released(CHANGELOG)) == []


DAYS = {"0.1.0": date(2026, 1, 31), "0.2.0": date(2026, 12, 1), "0.3.0": date(2027, 2, 1)}


@pytest.mark.parametrize(
    ("entry", "fine"),
    [
        ({}, False),
        ({"deprecated": "0.1.0", "removed": "0.3.0", "instead": "set b"}, True),
        ({"deprecated": "0.1.0", "removed": "0.2.0", "instead": "set b"}, False),
        ({"deprecated": "0.1.0", "removed": "9.0.0", "instead": "set b"}, False),
        ({"deprecated": "0.1.0", "removed": "0.3.0"}, False),
    ],
    ids=["not-listed", "after-a-year", "too-early", "not-released", "without-advice"],
)
def test_a_year_is_asked_for(entry: dict[str, str], fine: bool) -> None:
    assert (removed_too_early({"a"}, {"a": entry}, DAYS) == []) is fine


def test_a_deprecated_key_still_works() -> None:
    """Until the release that removes it, which the changelog has a day for."""
    listed = yaml.safe_load(FILE.read_text())
    gone = {key for key, entry in listed.items() if not is_known(key)}
    assert {key for key, entry in listed.items() if entry.get("removed") in released(CHANGELOG)} == gone
    for key, entry in listed.items():
        section = CHANGELOG.split(f"## {entry['deprecated']} - ")[1].split("\n## ")[0]
        assert f"`{key}`" in section.split("### Deprecated")[1], key
