"""Chart.yaml has what Artifact Hub reads, in the form that it reads, as `ah lint` would check it."""

import re
from typing import Any

import pytest
import yaml
from mlflowops.paths import REPO

CHART = yaml.safe_load((REPO / "charts/mlflow/Chart.yaml").read_text())
ANNOTATIONS: dict[str, str] = CHART["annotations"]
# https://artifacthub.io/docs/topics/annotations/helm
CATEGORIES = [
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "skip-prediction",
    "storage",
    "streaming-messaging",
]
KINDS = ["added", "changed", "deprecated", "removed", "fixed", "security"]
KNOWN = {"category", "license", "operator", "prerelease", "images", "changes", "containsSecurityUpdates"}


def read(name: str) -> Any:
    """An annotation that is YAML in a string."""
    return yaml.safe_load(ANNOTATIONS[f"artifacthub.io/{name}"])


def test_annotations_are_text_and_known() -> None:
    assert all(isinstance(value, str) for value in ANNOTATIONS.values())
    assert {name.removeprefix("artifacthub.io/") for name in ANNOTATIONS} <= KNOWN
    assert ANNOTATIONS["artifacthub.io/category"] in CATEGORIES
    assert ANNOTATIONS["artifacthub.io/license"] == "Apache-2.0"


@pytest.mark.parametrize("name", ["operator", "prerelease"])
def test_switches_are_true_or_false(name: str) -> None:
    assert ANNOTATIONS[f"artifacthub.io/{name}"] in ("true", "false")
    assert read("prerelease") is ("-" in CHART["version"])


def test_each_change_has_a_kind_and_a_description() -> None:
    assert read("changes")
    for change in read("changes"):
        assert set(change) == {"kind", "description"}
        assert change["kind"] in KINDS and change["description"].strip()


def test_images_are_those_that_the_pods_have() -> None:
    """The air-gapped page has the list that is rendered from the chart."""
    listed = {each["image"] for each in read("images")}
    page = (REPO / "docs/install/air-gapped.md").read_text()
    assert listed == set(re.findall(r"(?m)^\| `([^`]+:[^`]+)` \| `", page))
    names = [each["name"] for each in read("images")]
    assert len(set(names)) == len(names)


def test_the_repository_file_has_known_keys() -> None:
    found = yaml.safe_load((REPO / "artifacthub-repo.yml").read_text())
    assert set(found) <= {"repositoryID", "owners", "ignore"}
    for rule in found["ignore"]:
        assert rule["name"] == CHART["name"]
        assert re.fullmatch(rule["version"], "0.3.0-rc.1") and not re.fullmatch(rule["version"], "0.3.0")
