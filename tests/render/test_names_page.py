"""docs/names.md is what the chart renders."""

from render import interface
from render.chart import Chart


def test_the_page_is_generated() -> None:
    words = "run `cd tests && ../.venv/bin/python -m render.interface`"
    assert interface.PAGE.read_text() == interface.page(), words


def test_every_default_secret_is_listed(chart: Chart) -> None:
    """Each `name` of a Secret in the values, but those of certificates, which are empty by default."""
    text = interface.PAGE.read_text()
    found = {name for name in secret_names(chart.default()) if name}
    assert len(found) > 5
    assert {name for name in found if f"| `{name}` | " not in text} == set()


def secret_names(values: object) -> set[str]:
    if not isinstance(values, dict):
        return set()
    below = set().union(*(secret_names(each) for each in values.values())) if values else set()
    return below | {
        str(each["name"]) for key, each in values.items() if key.endswith("FromSecret") or key == "fromSecret"
    }
