"""No module of ours needs one that needs it, be it at the top, inside a function or only for types."""

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from mlflowops.paths import REPO

from cli import imports

FILES = imports.by_file(imports.modules(REPO / "scripts/mlflowops", REPO / "testbed/src/testbed"))


def circle(graph: imports.Graph) -> list[str]:
    """One circle, if there is any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_by_file() -> None:
    assert circle(FILES) == []


def test_no_circle_by_part() -> None:
    """A sub-package is one thing: two of them in a circle can only be read together."""
    assert circle(imports.by_part(FILES)) == []


def test_the_product_does_not_need_the_test_bed() -> None:
    assert imports.by_package(FILES) == {"mlflowops": set(), "testbed": {"mlflowops"}}


@pytest.mark.parametrize(
    "inside",
    ["def f():\n    from ours.b import x", "if TYPE_CHECKING:\n    import ours.b", "from ours import b"],
)
def test_a_circle_is_found_wherever_the_import_stands(tmp_path: Path, inside: str) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/__init__.py").touch()
    (tmp_path / "ours/a.py").write_text(f"{inside}\n")
    (tmp_path / "ours/b.py").write_text("from ours.a import y\n")
    files = imports.by_file(imports.modules(tmp_path / "ours"))
    assert set(circle(files)) == {"ours.a", "ours.b"}
    assert set(circle(imports.by_part(files))) == {"ours.a", "ours.b"}
