"""Which files each program of the chart's Python needs, by what its modules import.

`python tests/render/programs.py` prints what charts/mlflow/files/programs.yaml has to hold.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import yaml
from mlflowops.paths import REPO

FILES = REPO / "charts" / "mlflow" / "files"
NAME = "mlflow_kubernetes"
PACKAGE = FILES / NAME
# The modules that a program starts with. Those after the first it finds by name, or starts as processes.
PROGRAMS = {
    "backup": ["tasks.backup.main"],
    "copy": ["tasks.copying.main"],
    "jobs": ["server.jobs"],
    "metrics-stores": ["metrics.main", "metrics.store_checks", "metrics.artifact_check"],
    "metrics-workers": ["metrics.main", "metrics.worker_metrics"],
    "query": ["query.main", "query.revision", "query.versioning", "query.volume"],
    "query-backups": ["query.main", "query.backups"],
    "restore": ["tasks.restore.main"],
    "retention": ["tasks.retention.main"],
    "schema": ["schema.main"],
    "server": ["server.main", "server.auth", "server.edge.protocol", "server.upstream"],
    "volume-backup": ["tasks.sqlite.volume_backup"],
    "volume-restore": ["tasks.sqlite.volume_restore"],
}
HEADER = "# The files of each program in mlflow_kubernetes/, as tests/render/programs.py writes them.\n"


def path_of(module: str) -> Path | None:
    """The file of a dotted name below the package, None if there is none."""
    file = PACKAGE.joinpath(*filter(None, module.split(".")))
    for each in (file.with_suffix(".py") if module else file / "__init__.py", file / "__init__.py"):
        if each.is_file():
            return each
    return None


def imported(module: str, *, lazily: bool = True) -> Iterator[str]:
    """The modules of the package that one imports; those inside of functions only if `lazily`."""
    file = path_of(module)
    assert file, module
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree) if lazily else tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == NAME:
            source = (node.module or "").removeprefix(NAME).lstrip(".")
            for name in node.names:
                inner = f"{source}.{name.name}".lstrip(".")
                yield inner if path_of(inner) else source
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names if each.name.partition(".")[0] == NAME]
            yield from (name.removeprefix(NAME).lstrip(".") for name in names)


def closure(roots: list[str]) -> set[str]:
    """All that these modules import, and what imports them: packages are imported before their modules."""
    found: set[str] = set()
    waiting = ["", "__main__", *roots]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting += [module.rpartition(".")[0], *imported(module)]
    return found


def modules() -> list[str]:
    """The dotted names of all modules of the package."""
    files = (file.relative_to(PACKAGE).with_suffix("") for file in PACKAGE.rglob("*.py"))
    return sorted(".".join(file.parts).removesuffix("__init__").rstrip(".") for file in files)


def files(program: str) -> list[str]:
    """The files of a program, as paths in the package."""
    paths = [path_of(module) for module in closure(PROGRAMS[program])]
    return sorted(str(path.relative_to(PACKAGE)) for path in paths if path)


def text() -> str:
    """What programs.yaml has to hold."""
    return HEADER + yaml.safe_dump({program: files(program) for program in PROGRAMS}, indent=2)


if __name__ == "__main__":
    print(text(), end="")
