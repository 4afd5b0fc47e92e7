"""What the render tests share."""

from pathlib import Path

import pytest
from sweep import sweep

from render.chart import CASES, MLFLOW, OTHERS, Chart, Manifest, case_name


@pytest.fixture
def chart() -> Chart:
    return MLFLOW


@pytest.fixture(params=sweep(CASES, 8), ids=case_name)
def case(request: pytest.FixtureRequest) -> Path:
    """Every example of ci/, one after the other."""
    return request.param


@pytest.fixture
def rendered(case: Path) -> Manifest:
    return MLFLOW.render(case)


@pytest.fixture(params=[MLFLOW, *OTHERS], ids=lambda chart: chart.folder.name)
def any_chart(request: pytest.FixtureRequest) -> Chart:
    """Every chart of this repository, with its default values."""
    return request.param
