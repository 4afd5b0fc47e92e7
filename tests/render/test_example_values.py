"""Each file of examples/values is a whole set of values, and renders valid objects."""

from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO

from render.chart import Chart
from render.expansion import containers

FILES = sorted((REPO / "examples/values").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_example(chart: Chart, path: Path) -> None:
    """It renders with everything else on that needs a database, and its notes name no empty place."""
    more = {"metrics": {"enabled": True}, "jobs": {"enabled": True}}
    more["backup"] = {"enabled": True, "bucket": "backups", "drill": {"enabled": True}}
    values = {**(yaml.safe_load(path.read_text()) or {}), **more}
    values["backendStore"]["postgres"] |= {"cleanupRunsEnabled": True}
    manifest = chart.render(values)
    assert {item["kind"] for item in manifest.objects} >= {
        "Deployment",
        "Service",
        "NetworkPolicy",
        "CronJob",
    }
    assert " at :" not in chart.notes(values)


def test_cloudnativepg_is_opened_alike_everywhere(chart: Chart) -> None:
    """By the Secret of its cluster and nothing else, in each container that opens the database."""
    values = yaml.safe_load((REPO / "examples/values/cloudnativepg.yaml").read_text())
    values |= {"metrics": {"enabled": True}, "jobs": {"enabled": True}}
    values["backup"] = {"enabled": True, "bucket": "backups", "drill": {"enabled": True}}
    values["backendStore"]["postgres"] |= {"cleanupRunsEnabled": True}
    keys = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "username"}
    keys["PGPASSWORD"] = "password"
    found = {}
    for item in chart.render(values).objects:
        for each in containers(item):
            env = {entry["name"]: entry for entry in each.get("env", [])}
            if "MLFLOW_BACKEND_STORE_URI" in env:
                found[each["name"]] = {
                    name: env[name]["valueFrom"]["secretKeyRef"] for name in keys if name in env
                }
    assert set(found) == {
        "mlflow", "schema", "jobs", "exporter", "retention", "backup", "restore", "drill"
    }  # fmt: skip
    wanted = {name: {"name": "mlflow-db-app", "key": key} for name, key in keys.items()}
    assert all(each == wanted for each in found.values()), found


@pytest.mark.parametrize("key", ["host", "port", "database", "username"])
def test_the_rest_stays_with_the_values(chart: Chart, key: str) -> None:
    given = {"host": "db.example.com", "port": 6432, "database": "runs", "username": "ml"}
    variables = {"host": "PGHOST", "port": "PGPORT", "database": "PGDATABASE", "username": "PGUSER"}
    if key == "host":
        del given["host"]
    secret = {f"{key}FromSecret": {"enabled": True, "name": "db", "key": "k"}}
    values = {"backendStore": {"postgres": {"enabled": True, **given, **secret}}}
    env = {entry["name"]: entry for entry in chart.render(values).container()["env"]}
    assert env[variables[key]]["valueFrom"] == {"secretKeyRef": {"name": "db", "key": "k"}}
    for other in set(given) - {key}:
        assert env[variables[other]]["value"] == str(given[other])
    if key != "username":
        assert "(Secret db)" in chart.notes(values)


def test_a_uri_is_all_that_leads_to_the_database(chart: Chart) -> None:
    values = yaml.safe_load((REPO / "examples/values/operator-uri.yaml").read_text())
    env = {entry["name"]: entry for entry in chart.render(values).container("schema")["env"]}
    reference = {"name": "mlflow-db-app", "key": "uri"}
    assert env["MLFLOW_KUBERNETES_POSTGRES_URI"]["valueFrom"]["secretKeyRef"] == reference
    assert {name for name in env if name.startswith("PG")} == {"PGAPPNAME", "PGCONNECT_TIMEOUT", "PGSSLMODE"}
    assert env["MLFLOW_BACKEND_STORE_URI"]["value"] == "postgresql+psycopg2://"
    assert "PostgreSQL of the URI in Secret mlflow-db-app, TLS require" in chart.notes(values)
