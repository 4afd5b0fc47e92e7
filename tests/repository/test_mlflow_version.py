"""MLflow's version is the chart's appVersion, wherever else it has to stand."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from mlflowops.errors import OpsError
from mlflowops.paths import REPO
from testbed.release import mlflow_version
from testbed.release.commit import git

LISTED = yaml.safe_load((REPO / "tests/repository/mlflow-version.yaml").read_text())


def found() -> dict[str, int]:
    """The last folder and the name of each file in git that holds the version, and how often."""
    places: dict[str, int] = {}
    for path, number in mlflow_version.places(REPO).items():
        name = "/".join(path.split("/")[-2:])
        places[name] = places.get(name, 0) + number
    return places


def test_every_place_has_the_version_of_the_chart() -> None:
    """After a change of appVersion the difference names the files that still have to change."""
    assert found() == LISTED


def test_make_mlflow_writes_another_version_in_every_place(tmp_path: Path) -> None:
    places = mlflow_version.places(REPO)
    for name in (*places, "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / name, tmp_path / name)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    changed = mlflow_version.write(tmp_path, "3.99.0")
    assert changed == [name for name in places if not name.endswith(".lock")]
    assert mlflow_version.present(tmp_path) == "3.99.0"
    after = mlflow_version.places(tmp_path)
    assert after == {name: places[name] for name in changed}
    assert (tmp_path / "CHANGELOG.md").read_bytes() == (REPO / "CHANGELOG.md").read_bytes()


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(OpsError, match="VERSION: 'newest' is not a version of MLflow; set one such as"):
        mlflow_version.write(REPO, "newest")


def test_renovate_raises_the_version_of_the_chart_only() -> None:
    settings = json.loads((REPO / ".github/renovate.json").read_text())
    (manager,) = [each for each in settings["customManagers"] if each.get("depNameTemplate") == "mlflow"]
    (pattern,) = manager["matchStrings"]
    chart = (REPO / "charts/mlflow/Chart.yaml").read_text()
    (version,) = re.findall(pattern.replace("(?<", "(?P<"), chart)
    assert version == mlflow_version.present(REPO)
    (rule,) = [each for each in settings["packageRules"] if "mlflow" in each.get("matchPackageNames", [])]
    assert rule["enabled"] is False and "custom.regex" not in rule["matchManagers"]
