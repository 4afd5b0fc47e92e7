"""What the modules of our packages import, read from their source: at the top, in functions and for types."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

Graph = dict[str, set[str]]


def modules(*packages: Path) -> dict[str, Path]:
    """Every module by its full name."""
    files = [(package.parent, file) for package in packages for file in package.rglob("*.py")]
    return {_name(file.relative_to(parent)): file for parent, file in files}


def imported(file: Path, known: Iterable[str]) -> Iterator[str]:
    """The full name of everything that a module imports; a name in a known package counts as a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{file}: our packages import by full names"
            for each in node.names:
                full = f"{node.module}.{each.name}"
                yield full if full in known else node.module


def by_file(known: dict[str, Path]) -> Graph:
    """Which of the known modules each of them imports."""
    return {name: set(imported(file, known)) & known.keys() - {name} for name, file in known.items()}


def by_part(files: Graph) -> Graph:
    """The same for the parts of a package: its sub-packages, and the modules beside them."""
    parts: Graph = {}
    for name, needed in files.items():
        parts.setdefault(_part(name), set()).update({_part(each) for each in needed} - {_part(name)})
    return parts


def by_package(files: Graph) -> Graph:
    """The same for whole packages."""
    packages: Graph = {}
    for name, needed in files.items():
        top = name.split(".")[0]
        packages.setdefault(top, set()).update({each.split(".")[0] for each in needed} - {top})
    return packages


def _name(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def _part(name: str) -> str:
    return ".".join(name.split(".")[:2])
