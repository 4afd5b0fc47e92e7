"""docs/install: a page for each platform with its values file, and what a closed network needs."""

import re

import pytest
from mlflowops.paths import REPO

from render import outside
from render.chart import CASES, Chart, Json
from render.install_values import INSTALL

FOLDER = REPO / "docs/install"


def repositories(values: Json) -> set[str]:
    """The `repository` of each image in values."""
    found = {str(values["repository"])} if "repository" in values else set()
    return found.union(*(repositories(each) for each in values.values() if isinstance(each, dict)))


def test_each_platform_has_a_page_and_a_row() -> None:
    assert {page.stem for page in FOLDER.glob("[a-z]*.md")} == {*INSTALL, "gitops", "verify"}
    table = (FOLDER / "README.md").read_text()
    assert all(f"({name}.md)" in table and f"values/{name}.yaml)" in table for name in INSTALL)


@pytest.mark.parametrize("name", INSTALL)
def test_a_page_installs_its_values(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text()
    assert f"(../../examples/values/{name}.yaml)" in text
    assert re.search(rf"helm install mlflow \S+ -n ml .*-f (examples/values/)?{name}\.yaml", text)


def test_what_a_closed_network_needs_is_generated() -> None:
    assert outside.PAGE.read_text() == outside.page(), (
        "run `cd tests && ../.venv/bin/python -m render.outside`"
    )


def name_of(image: str) -> str:
    """The last part of an image's repository."""
    return re.sub("[:@].*", "", image.rsplit("/", maxsplit=1)[-1])


def test_every_image_of_the_chart_is_listed(chart: Chart) -> None:
    """Each key of the values that is an image, and what each case renders from whatever registry."""
    listed = {name_of(image) for image in outside.images(outside.EVERYTHING)}
    assert listed == {name_of(each) for each in repositories(chart.default())}
    for case in CASES:
        assert {name_of(image) for image in outside.images_of(chart.render(case))} <= listed, case.name


def test_the_list_follows_the_policy() -> None:
    assert outside.rules({}) == []
    assert outside.rules(outside.POSTGRES) == ["any address, port 5432"]
    with_peers = {
        **outside.POSTGRES,
        "networkPolicy": {"peers": {"database": [{"ipBlock": {"cidr": "10.0.0.5/32"}}]}},
    }
    assert outside.rules(with_peers) == ["10.0.0.5/32, port 5432"]
