"""The chart as a part of an umbrella chart."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from render.chart import MLFLOW, Chart, Json


@pytest.fixture
def umbrella(tmp_path: Path) -> Chart:
    """A chart that holds this one, switched by `mlflow.enabled`."""
    folder = tmp_path / "umbrella"
    shutil.copytree(MLFLOW.folder, folder / "charts/mlflow")
    version = yaml.safe_load((MLFLOW.folder / "Chart.yaml").read_text())["version"]
    part: Json = {"name": "mlflow", "version": version, "condition": "mlflow.enabled"}
    meta: Any = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [part]}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(meta))
    return Chart(folder)


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_the_condition(umbrella: Chart, helm: str) -> None:
    """The chart is in unless its key is false."""
    alone = MLFLOW.render(release="ml", helm=helm).names()
    assert umbrella.render(release="ml", helm=helm).names() == alone
    assert umbrella.render({"mlflow": {"enabled": True}}, release="ml", helm=helm).names() == alone
    assert umbrella.render({"mlflow": {"enabled": False}}, release="ml", helm=helm).names() == []


def test_global_values_reach_the_chart(umbrella: Chart) -> None:
    values = {"global": {"imageRegistry": "registry.example.com", "storageClass": "fast"}}
    image = umbrella.render(values).container()["image"]
    assert image.startswith("registry.example.com/mlflow/mlflow:")
