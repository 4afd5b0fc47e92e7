"""docs/support.md has the versions that tests run with."""

import re

import tomllib
import yaml
from mlflowops.paths import REPO

PAGE = (REPO / "docs/support.md").read_text()


def versions(what: str) -> str:
    """The second cell of a row."""
    (found,) = re.findall(rf"(?m)^\| {re.escape(what)} \| ([^|]+) \|", PAGE)
    return str(found)


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def test_kubernetes() -> None:
    nodes = yaml.safe_load((REPO / ".github/kind-nodes.yaml").read_text())
    assert versions("Kubernetes").split(", ") == list(nodes)


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
