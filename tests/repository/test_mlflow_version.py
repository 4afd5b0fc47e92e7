"""MLflow's version is the chart's appVersion, wherever else it has to stand."""

import re
import subprocess

import yaml
from mlflowops.paths import REPO

VERSION = yaml.safe_load((REPO / "charts/mlflow/Chart.yaml").read_text())["appVersion"]
LISTED = yaml.safe_load((REPO / "tests/repository/mlflow-version.yaml").read_text())
# Measurements and decisions name the version that they were made with.
HISTORY = [
    "CHANGELOG.md",
    "benchmarks",
    "docs/adr",
    "docs/performance.md",
    "docs/soak.md",
    "docs/upstream",
    "tests/e2e/released",
]


def found() -> dict[str, int]:
    """The last folder and the name of each file in git that holds the version, and how often."""
    command = [
        "git",
        "-C",
        REPO,
        "grep",
        "-I",
        "--fixed-strings",
        VERSION,
        "--",
        *(f":!{each}" for each in HISTORY),
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    places: dict[str, int] = {}
    for path, text in (line.split(":", 1) for line in lines):
        name = "/".join(path.split("/")[-2:])
        whole = re.findall(rf"(?<![\d.]){re.escape(VERSION)}(?!\.?\d)", text)
        places[name] = places.get(name, 0) + len(whole)
    return {name: number for name, number in places.items() if number}


def test_every_place_has_the_version_of_the_chart() -> None:
    """After a change of appVersion the difference names the files that still have to change."""
    assert found() == LISTED
