"""Each folder of examples/postgres is a database that fails over, with the values that go with it."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from mlflowops.paths import REPO

from render import kubernetes_schemas, pss
from render.chart import Chart
from render.test_example_values import ALL, everywhere, with_everything

FOLDER = REPO / "examples/postgres"
PLACES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
CLOUDNATIVEPG = Path(__file__).with_name("cloudnativepg.yaml")


def values_of(place: str) -> dict[str, Any]:
    return with_everything(yaml.safe_load((FOLDER / place / "values.yaml").read_text()))


def objects(place: str) -> list[dict[str, Any]]:
    """All objects beside the values."""
    files = sorted(set((FOLDER / place).glob("*.yaml")) - {FOLDER / place / "values.yaml"})
    return [item for file in files for item in yaml.safe_load_all(file.read_text())]


@pytest.mark.parametrize("place", PLACES)
def test_the_values_lead_to_the_database(chart: Chart, place: str) -> None:
    """In each container that opens it, and by the policy, which lets the pods out to it alone."""
    values = values_of(place)
    assert " at :" not in chart.notes(values)
    manifest = chart.render(values)
    postgres = values["backendStore"]["postgres"]
    for each in everywhere(manifest, ALL).values():
        assert each["env"]["PGHOST"]["value"] == postgres["host"]
        assert each["env"]["PGPASSWORD"]["valueFrom"]["secretKeyRef"]["name"]
        session = values.get("mlflow", {}).get("env", {}).get("PGTARGETSESSIONATTRS")
        assert each["env"].get("PGTARGETSESSIONATTRS", {}).get("value") == session
    egress = manifest.one("NetworkPolicy")["spec"]["egress"]
    rules = [rule for rule in egress if {"port": 5432, "protocol": "TCP"} in rule.get("ports", [])]
    assert [rule["to"] for rule in rules] == [values["networkPolicy"]["peers"]["database"]]


@pytest.mark.parametrize("place", PLACES)
def test_the_head_says_for_whom_it_is(place: str) -> None:
    path = FOLDER / place / "values.yaml"
    head = re.match(r"(#.*\n)+", path.read_text())
    assert head and re.search("(?m)^# For: ", head[0]) and re.search("(?m)^# Needs: ", head[0])
    (install,) = re.findall("(?m)^# Install: (helm install .*)$", head[0])
    assert str(path.relative_to(REPO)) in install.split()


def test_the_page_names_each_place() -> None:
    text = (REPO / "docs/databases.md").read_text()
    assert all(f"../examples/postgres/{place}" in text for place in PLACES)


def test_the_objects_of_cloudnativepg_have_its_fields() -> None:
    schemas = yaml.safe_load(CLOUDNATIVEPG.read_text())
    items = objects("cloudnativepg")
    assert sorted(item["kind"] for item in items) == sorted(schemas)
    for item in items:
        assert item["apiVersion"] == "postgresql.cnpg.io/v1"
        jsonschema.Draft7Validator(schemas[item["kind"]]).validate(item["spec"])


def test_the_objects_of_cloudnativepg_and_the_values_fit() -> None:
    """The operator names Secrets after the cluster, and the Service and the pods of a Pooler after that."""
    named = {item["kind"]: item for item in objects("cloudnativepg")}
    cluster, pooler = named["Cluster"]["metadata"]["name"], named["Pooler"]["metadata"]["name"]
    assert {named[kind]["spec"]["cluster"]["name"] for kind in ("Pooler", "ScheduledBackup")} == {cluster}
    values = values_of("cloudnativepg")
    postgres = values["backendStore"]["postgres"]
    assert postgres["host"] == pooler
    assert postgres["passwordFromSecret"]["name"] == f"{cluster}-app"
    assert postgres["sslRootCertFromSecret"]["name"] == f"{cluster}-ca"
    assert f"cnpg.io/poolerName': '{pooler}'" in str(values["networkPolicy"]["peers"]["database"])


def test_the_objects_of_patroni_are_valid_and_restricted() -> None:
    items = objects("patroni")
    for item in items:
        kubernetes_schemas.validate(item, "1.36")
    (workload,) = [item for item in items if item["kind"] == "StatefulSet"]
    assert not list(pss.restricted(workload["spec"]["template"]["spec"]))
    names = {item["metadata"]["name"] for item in items if item["kind"] == "Service"}
    assert values_of("patroni")["backendStore"]["postgres"]["host"] in names
    (peer,) = values_of("patroni")["networkPolicy"]["peers"]["database"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert peer["podSelector"]["matchLabels"].items() <= labels.items()
