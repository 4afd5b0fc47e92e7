"""No module of ours needs one that needs it, be it at the top, inside a function or only for types."""

import re
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


def users(known: dict[str, Path], library: str) -> set[str]:
    """The modules that import a library."""
    needed = {name: imports.imported(file, known) for name, file in known.items()}
    return {name for name, found in needed.items() if library in {each.split(".")[0] for each in found}}


def test_only_one_part_uses_the_kubernetes_client() -> None:
    modules = imports.modules(REPO / "scripts/mlflowops")
    found = users(modules, "kubernetes")
    assert "mlflowops.kube.reader" in found
    assert {name for name in found if not name.startswith("mlflowops.kube.")} == set()


def test_nothing_runs_kubectl() -> None:
    modules = imports.modules(REPO / "scripts/mlflowops")
    assert [name for name, file in modules.items() if re.search("[\"']kubectl[\"']", file.read_text())] == []


def test_the_user_of_a_library_is_found(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/a.py").write_text("def f():\n    from kubernetes.stream import stream\n")
    (tmp_path / "ours/b.py").write_text("from ours.a import f\n")
    assert users(imports.modules(tmp_path / "ours"), "kubernetes") == {"ours.a"}


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
