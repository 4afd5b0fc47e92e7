"""Compare what the chart of a commit renders with what the working tree renders, as objects.

    make compare COMMIT=<commit> [ALLOW=<regular expression>]

Renders the defaults, each `ci/*-values.yaml` and each environment of the helmfile with both charts. Prints
each difference as `<case>: <Kind>/<name>: <path>: <before> -> <after>` and exits with 1 if there is one. A
difference whose line matches ALLOW does not count.
"""

import argparse
import difflib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from mlflowops.paths import REPO

from render.chart import CASES, Chart, Json, Manifest, Refused, case_name, identity, merged

CHART = "charts/mlflow"
MISSING = "(missing)"


def chart_of(commit: str, folder: Path) -> Chart:
    """Unpack the chart as it was at a commit."""
    archive = subprocess.run(
        ["git", "archive", commit, CHART], cwd=REPO, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data") if sys.version_info >= (3, 12) else files.extractall(folder)  # noqa: S202
    return Chart(folder / CHART)


def cases() -> Iterator[tuple[str, Json]]:
    """Name and values of each rendering to compare."""
    yield "defaults", {}
    for path in CASES:
        yield case_name(path), yaml.safe_load(path.read_text()) or {}
    common = yaml.safe_load((REPO / "values.yaml").read_text())
    for path in sorted(REPO.glob("values-*.yaml")):  # as helmfile.yaml lists them
        yield (
            f"environment {path.stem.removeprefix('values-')}",
            merged(common, yaml.safe_load(path.read_text())),
        )


def parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of each leaf. List items are named by their `name`, and by their number without one."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from parts(child, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for number, child in enumerate(value):
            name = child.get("name", number) if isinstance(child, dict) else number
            yield from parts(child, f"{path}[{name}]")
    else:
        yield path, value


def objects(chart: Chart, values: Json) -> dict[str, dict[str, Any]]:
    """The leaves of each rendered object; for refused values, the refusal."""
    try:
        manifest: Manifest = chart.render(values)
    except Refused as refusal:
        sentences = "\n".join(line for line in str(refusal).splitlines() if line.startswith("mlflow: "))
        return {"Refused/values": {"sentences": sentences}}
    assert len(set(manifest.names())) == len(manifest.names()), "an object stands twice"
    return {identity(item): dict(parts(item)) for item in manifest.objects}


def differences(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Iterator[str]:
    """One line for each leaf that is not the same."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield f"{name}: {'added' if old is None else 'removed'}"
            continue
        for path in sorted(old.keys() | new.keys()):
            one, other = old.get(path, MISSING), new.get(path, MISSING)
            if one != other:
                yield f"{name}: {path}: {shown(one, other)}"


def shown(one: Any, other: Any) -> str:
    """Both values on one line; of long texts, the lines that differ."""
    texts = [str(each).splitlines() for each in (one, other)]
    if max(map(len, texts)) > 1:
        return " | ".join(line for line in difflib.unified_diff(*texts, lineterm="", n=0) if line[0] in "+-")
    return f"{one!r} -> {other!r}"


def compare(before: Chart, after: Chart, allow: str | None = None) -> list[str]:
    """Every difference between two charts that is not allowed."""
    allowed = re.compile(allow) if allow else None
    return [
        f"{case}: {line}"
        for case, values in cases()
        for line in differences(objects(before, values), objects(after, values))
        if not (allowed and allowed.search(line))
    ]


def main() -> None:
    """Read the command line, compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit")
    parser.add_argument("--allow", help="regular expression for lines that do not count")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(
            chart_of(arguments.commit, Path(folder)), Chart(REPO / CHART), arguments.allow or None
        )
    print("\n".join(found) or "No difference.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
