"""The comparison of two commits' charts finds what differs, and nothing else."""

import shutil
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO

from render import compare_commits
from render.chart import MLFLOW, Chart


@pytest.fixture
def planted(tmp_path: Path) -> Chart:
    """The chart with one field of one object changed."""
    chart = Chart(Path(shutil.copytree(MLFLOW.folder, tmp_path / "mlflow")))
    service = chart.folder / "templates/server/service.yaml"
    text = service.read_text()
    assert text.count("port: 80\n") == 1
    service.write_text(text.replace("port: 80\n", "port: 81\n"))
    return chart


def found(one: Chart, other: Chart, **values: object) -> list[str]:
    objects = compare_commits.objects
    return list(compare_commits.differences(objects(one, values), objects(other, values)))


def test_a_changed_field_is_found(planted: Chart) -> None:
    assert found(MLFLOW, MLFLOW) == []
    assert found(MLFLOW, planted) == ["Service/mlflow: spec.ports[http].port: 80 -> 81"]


def test_an_object_more_or_less_is_found(planted: Chart) -> None:
    (planted.folder / "templates/server/service.yaml").unlink()
    assert found(MLFLOW, planted) == ["Service/mlflow: removed"]
    assert found(planted, MLFLOW) == ["Service/mlflow: added"]


def test_environments_are_compared(planted: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the values of both files, of which the second one wins."""
    environments = {
        name: values for name, values in compare_commits.cases() if name.startswith("environment ")
    }
    assert set(environments) == {"environment dev", "environment local", "environment prod"}
    common = yaml.safe_load((REPO / "values.yaml").read_text())
    own = yaml.safe_load((REPO / "values-prod.yaml").read_text())
    prod = environments["environment prod"]
    assert prod["backendStore"]["postgres"].items() >= own["backendStore"]["postgres"].items()
    assert set(prod["backendStore"]["postgres"]) >= set(common["backendStore"]["postgres"])
    monkeypatch.setattr(compare_commits, "cases", environments.items)
    assert {line.partition(": ")[0] for line in compare_commits.compare(MLFLOW, planted)} == set(environments)


def test_a_refusal_is_compared_too(planted: Chart) -> None:
    assert found(MLFLOW, planted, replicaCount=2) == []
    (planted.folder / "templates/_validate/_scaling.tpl").write_text(
        (planted.folder / "templates/_validate/_scaling.tpl")
        .read_text()
        .replace("cannot share SQLite", "may not share")
    )
    assert "may not share" in "".join(found(MLFLOW, planted, replicaCount=2))
