"""How many helpers, in how many files, a reader opens to know what a pod is.

cd tests && python -m render.reach
"""

import re
from collections.abc import Iterator
from pathlib import Path

from render.chart import MLFLOW

TEMPLATES = MLFLOW.folder / "templates"
WORKLOAD = re.compile(r"(?m)^kind: (Deployment|CronJob|Pod)$")
DEFINE = re.compile(r'(?s)\{\{- define "(?P<name>[^"]+)" -\}\}(?P<body>.*?)\n\{\{- end \}\}\n')


def helpers() -> dict[str, tuple[Path, str]]:
    """File and body of each helper, by name."""
    return {
        found["name"]: (path, found["body"])
        for path in sorted(TEMPLATES.rglob("*.tpl"))
        for found in DEFINE.finditer(path.read_text())
    }


def workloads() -> Iterator[Path]:
    """The templates that render a pod."""
    return (path for path in sorted(TEMPLATES.rglob("*.yaml")) if WORKLOAD.search(path.read_text()))


def reached(path: Path) -> dict[str, Path]:
    """Name and file of each helper that a template calls, itself or through others."""
    known = helpers()
    found: dict[str, Path] = {}
    texts = [path.read_text()]
    while texts:
        for name in re.findall(r'"(mlflow\.[^"]+)"', texts.pop()):
            if name in known and name not in found:
                found[name], body = known[name]
                texts.append(body)
    return found


def table() -> dict[str, tuple[int, int]]:
    """Numbers of helpers and of files, by template."""
    rows = {}
    for path in workloads():
        found = reached(path)
        rows[path.relative_to(TEMPLATES).as_posix()] = len(found), len(set(found.values()))
    return rows


def main() -> None:
    """Print the table."""
    print(f"{'template':36}{'helpers':>8}{'files':>6}")
    for name, (number, files) in table().items():
        print(f"{name:36}{number:>8}{files:>6}")


if __name__ == "__main__":
    main()
