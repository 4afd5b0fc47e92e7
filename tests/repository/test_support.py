"""docs/support.md has the versions that tests run with."""

import re

import tomllib
import yaml
from e2e import versions as runs
from mlflowops.paths import REPO
from testbed.cluster.kind import Kind
from testbed.cluster.source import Source

PAGE = (REPO / "docs/support.md").read_text()


def versions(what: str) -> str:
    """The second cell of a row."""
    (found,) = re.findall(rf"(?m)^\| {re.escape(what)} \| ([^|]+) \|", PAGE)
    return str(found)


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def test_kubernetes() -> None:
    assert versions("Kubernetes").split(", ") == list(Kind.versions())
    assert versions("Kubernetes from source").split(", ") == list(Source.versions())


def test_the_table_has_the_runs() -> None:
    """`cd tests && ../.venv/bin/python -m e2e.versions` writes it."""
    found = runs.read()
    assert runs.with_runs(PAGE, found) == PAGE
    run = {"kubernetes": "1.33.13", "helm": "4.3.1", "postgresql": "15.15", "mlflow": "3.17"}
    more = {**run, "passed": {"test_release.py": 1}, "commit": "abc", "date": "2026-11-29"}
    assert "| 1.33.13 | 4.3.1 | 15.15 | 3.17 | 1 of `test_release.py` |" in runs.with_runs(PAGE, [more])


def test_a_run_replaces_that_on_the_same_kubernetes() -> None:
    old, new = {"kubernetes": "1.36.3", "date": "a"}, {"kubernetes": "1.36.4", "date": "b"}
    other = {"kubernetes": "1.9.0", "date": "a"}
    assert runs.merged([old, other], new) == [other, new]


def test_helm_and_helmfile() -> None:
    tools = tomllib.loads((REPO / "testbed/tools.toml").read_text())
    found = {name: tool["version"] for group in tools.values() for name, tool in entries(group)}
    assert versions("Helm") == f"{minor(found['helm'])}, {minor(found['helm3'])}"
    assert versions("Helmfile") == minor(found["helmfile"])


def entries(group: object) -> list[tuple[str, dict[str, str]]]:
    """The programs of a part of tools.toml."""
    tools = group.items() if isinstance(group, dict) else ()
    return [(name, tool) for name, tool in tools if isinstance(tool, dict) and "version" in tool]


def test_postgresql() -> None:
    images = tomllib.loads((REPO / "testbed/images/images.toml").read_text())
    assert versions("PostgreSQL server") == images["images"]["postgres"]["tag"]


def test_older_databases() -> None:
    """Each of them is a row of the upgrade matrix, too."""
    matrix = (REPO / "docs/upgrading.md").read_text()
    for row in re.findall(r"(?m)^\| databases of MLflow ([\d., ]+) \|", matrix):
        assert f"| {row} |" in PAGE


def test_python() -> None:
    workflow = yaml.safe_load((REPO / ".github/workflows/check.yaml").read_text())
    assert (
        versions("Python of `mlflowops`").split(", ")
        == workflow["jobs"]["wheel"]["strategy"]["matrix"]["python"]
    )
