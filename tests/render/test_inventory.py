"""Exactly these objects in each case: a new, missing or renamed one is a line in a review."""

from pathlib import Path

import yaml

from render.chart import CASES, MLFLOW, POSTGRESQL, SEAWEEDFS, Manifest, case_name

EXPECTED = yaml.safe_load((Path(__file__).parent / "inventory.yaml").read_text())


def test_objects_of_the_case(case: Path, rendered: Manifest) -> None:
    assert rendered.names() == EXPECTED[case_name(case)]


def test_every_case_is_listed() -> None:
    assert sorted(EXPECTED) == sorted(case_name(path) for path in CASES)


def test_another_release_has_names_of_its_own() -> None:
    """Two releases in one namespace share no object."""
    one, two = MLFLOW.render(release="mlflow").names(), MLFLOW.render(release="second").names()
    assert not set(one) & set(two)
    assert "Deployment/second-mlflow" in two


def test_charts_for_local_use() -> None:
    assert POSTGRESQL.render(release="postgres").names() == ["Service/postgres", "StatefulSet/postgres"]
    assert SEAWEEDFS.render(release="seaweedfs").names() == ["Service/seaweedfs", "StatefulSet/seaweedfs"]
