"""Each file of sizes/ goes with any environment, and PostgreSQL has what its pods need."""

import re
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO

from render.chart import Chart, Json, merged

PODS = {"small": 1, "medium": 2, "large": 4}
POOLS = 2  # of a worker: tracking and registry
SURGE = 1  # pods more while an update goes on
OTHERS = 20  # connections for the jobs pod, the exporter, tasks and people
SIZES = sorted((REPO / "sizes").glob("*.yaml"))


def test_each_size_is_known() -> None:
    assert {path.stem for path in SIZES} == set(PODS)


def values_of(size: Path, environment: str) -> Json:
    """The values of an environment in that size, as helmfile lays files over each other."""
    files = [REPO / "values.yaml", REPO / f"values-{environment}.yaml", size]
    values: Json = {}
    for file in files:
        values = merged(values, yaml.safe_load(file.read_text()))
    return values


def number(text: str) -> int:
    return int(text.replace(",", ""))


def head(size: Path) -> dict[str, str]:
    """What the first lines state, by the word before the colon."""
    comment = re.match(r"(#.*\n)+", size.read_text())
    assert comment
    return dict(re.findall(r"(?m)^# (Users|Requests|Runs|Traces|PostgreSQL): (.+)$", comment[0]))


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.stem)
def test_a_size_goes_with_an_environment(chart: Chart, size: Path, environment: str) -> None:
    values = values_of(size, environment)
    if size.stem == "small":
        values["autoscaling"] = {"enabled": False}
    manifest = chart.render(values)
    own = yaml.safe_load(size.read_text())
    assert manifest.container()["resources"] == own["mlflow"]["resources"]
    if size.stem == "small":
        assert manifest.one("Deployment")["spec"]["replicas"] == PODS["small"]
        return
    autoscaler = manifest.one("HorizontalPodAutoscaler")["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (PODS[size.stem], 2 * PODS[size.stem])
    (metric,) = autoscaler["metrics"]
    assert metric["containerResource"]["target"]["averageUtilization"] == 70
    requests, limits = (own["mlflow"]["resources"][each] for each in ("requests", "limits"))
    assert requests["cpu"] == limits["cpu"], "70 % of a request is 70 % of a pod"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.stem)
def test_postgresql_has_the_connections(size: Path) -> None:
    values = values_of(size, "dev")
    pool = values["backendStore"]["postgres"]
    most = pool["poolSize"] + pool["maxOverflow"]
    assert most > values["mlflow"]["threads"]
    scaling = yaml.safe_load(size.read_text()).get("autoscaling", {"maxReplicas": 1})
    needed = (scaling["maxReplicas"] + SURGE) * values["mlflow"]["workers"] * POOLS * most + OTHERS
    stated = re.search(r"max_connections = (\d+)", head(size)["PostgreSQL"])
    assert stated and needed <= int(stated[1]) < 1.5 * needed


def test_the_head_and_the_page_state_the_same_numbers() -> None:
    page = (REPO / "docs/scaling.md").read_text()
    for size in SIZES:
        stated = head(size)
        assert len(stated) == 5, size
        row = next(line for line in page.splitlines() if line.startswith(f"| [`{size.name}`]"))
        requests = stated["Requests"].split()[0]
        for fact in (requests, *re.findall(r"(?:connections|buffers) = (\w+)", stated["PostgreSQL"])):
            assert f" {fact} " in row, (size, fact)
        for name in ("Users", "Runs", "Traces"):
            assert f" {stated[name].split()[0].rstrip(',')} " in row, (size, name)
