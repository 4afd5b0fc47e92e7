"""A module's name is its own: no other module of the package and no module of Python has it."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflowops.paths import REPO

PACKAGES = ["scripts/mlflowops", "testbed/src/testbed", "charts/mlflow/files/mlflow_kubernetes", "benchmarks"]
CONVENTION = {"__init__", "__main__", "cli", "main"}
"""The module `cli` of a package holds its commands, `main` the start of a program."""


def wrong_names(package: Path, root: Path = REPO) -> Iterator[str]:
    """What is wrong with the names of the modules and sub-packages of a package."""
    places = defaultdict(list)
    for path in sorted(package.rglob("*")):
        if path.suffix == ".py" or (path / "__init__.py").exists():
            places[path.stem].append(path.relative_to(root).as_posix())
    for name, found in places.items():
        if name in sys.stdlib_module_names:
            yield f"{found[0]} has the name of a module of Python"
        if len(found) > 1 and name not in CONVENTION:
            yield f"{' and '.join(found)} have one name"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_used_once(package: str) -> None:
    assert list(wrong_names(REPO / package)) == []


def test_wrong_names_are_found(tmp_path: Path) -> None:
    for file in ("one/__init__.py", "one/cli.py", "two/cli.py", "two/one.py", "platform.py", "two/fine.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert list(wrong_names(tmp_path, tmp_path)) == [
        "one and two/one.py have one name",
        "platform.py has the name of a module of Python",
    ]
