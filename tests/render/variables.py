"""Which environment variables a Python package reads, found in its code."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

CALLS = ("environ.get", "environ.pop", "environ.setdefault", "getenv")


@cache
def variables(package: str) -> set[str]:
    """Names of the variables that an installed package reads; a name that it computes is not found."""
    spec = find_spec(package)
    assert spec and spec.submodule_search_locations, package
    files = Path(spec.submodule_search_locations[0]).rglob("*.py")
    return {name for file in files for name in _read(ast.parse(file.read_text()))}


def _read(module: ast.Module) -> Iterator[str]:
    constants = {
        target.id: each.value.value
        for each in ast.walk(module)
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        for argument in _arguments(node):
            name = constants.get(argument.id) if isinstance(argument, ast.Name) else argument
            name = name.value if isinstance(name, ast.Constant) else name
            if isinstance(name, str):
                yield name


def _arguments(node: ast.AST) -> Iterator[ast.expr]:
    """What stands where the name of a variable stands."""
    if isinstance(node, ast.Call):
        if ast.unparse(node.func).endswith((*CALLS, "_EnvironmentVariable", "_BooleanEnvironmentVariable")):
            yield from node.args[:1]
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "envvar")
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        yield node.slice
    elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]).endswith("environ"):
        yield node.left
