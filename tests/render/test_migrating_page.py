"""docs/migrating.md: the values for charts that no command translates render, and its keys are ours."""

import re

import yaml
from mlflowops.migrate_values.tables import is_known
from mlflowops.paths import REPO

from render.chart import Chart

SECTION = (REPO / "docs/migrating.md").read_text().split("## From Kubeflow or Open Data Hub")[1]


def test_the_values_render(chart: Chart) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    manifest = chart.render(yaml.safe_load(block))
    env = {entry["name"]: entry for entry in manifest.container("schema")["env"]}
    uri = env["MLFLOW_KUBERNETES_POSTGRES_URI"]["valueFrom"]["secretKeyRef"]
    assert uri == {"name": "mlflow-database", "key": "backend-store-uri"}


def test_the_table_leads_to_keys_of_the_chart() -> None:
    here = "".join(row.split(" | ")[1] for row in SECTION.splitlines() if row.startswith("| `"))
    named = re.findall(r"`([a-z]\w+(?:\.\w+)+)`", here)
    assert len(named) > 10
    assert [key for key in named if not is_known(key)] == []
