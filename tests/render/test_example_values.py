"""Each file of examples/values is a whole set of values, and renders valid objects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.paths import REPO

from render.chart import Chart, Json, Manifest
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


OPENS = {"mlflow", "schema", "jobs", "exporter", "retention", "backup", "restore", "drill"}


def with_every_pod(name: str) -> dict[str, Any]:
    """An example, with everything on that opens the database."""
    values: dict[str, Any] = yaml.safe_load((REPO / f"examples/values/{name}.yaml").read_text())
    values |= {"metrics": {"enabled": True}, "jobs": {"enabled": True}}
    values["backup"] = {"enabled": True, "bucket": "backups", "drill": {"enabled": True}}
    values["backendStore"]["postgres"] |= {"cleanupRunsEnabled": True}
    return values


def opening(manifest: Manifest) -> Iterator[tuple[Json, list[Json]]]:
    """The pods that open the database, each with its containers that do."""
    for _, pod in manifest.pods():
        every = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
        found = [each for each in every if "MLFLOW_BACKEND_STORE_URI" in str(each.get("env"))]
        if found:
            yield pod, found


@pytest.mark.parametrize(("name", "login"), [("rds-iam", "awsIam"), ("azure-entra", "entra")])
def test_a_token_is_the_only_way_in(chart: Chart, name: str, login: str) -> None:
    """In each container that opens the database, which shares a folder in memory with its pod."""
    seen = set()
    for pod, users in opening(chart.render(with_every_pod(name))):
        memory = [each for each in pod["spec"]["volumes"] if each["name"] == "login"]
        assert [each["emptyDir"]["medium"] for each in memory] == ["Memory"]
        labels = pod["metadata"]["labels"]
        assert name == "rds-iam" or labels["azure.workload.identity/use"] == "true"
        assert pod["spec"]["serviceAccountName"] == "mlflow"
        for each in users:
            env = {entry["name"]: entry.get("value") for entry in each["env"]}
            seen.add(each["name"])
            assert env["MLFLOW_KUBERNETES_POSTGRES_LOGIN"] == login and "PGPASSWORD" not in env
            (mounted,) = [mount for mount in each["volumeMounts"] if mount["name"] == "login"]
            assert env["PGPASSFILE"] == f"{mounted['mountPath']}/pgpass"
    assert seen == OPENS


def test_a_proxy_is_beside_each_container_that_opens_the_database(chart: Chart) -> None:
    """A native sidecar before all of them, which ends when they have ended: Jobs end too."""
    seen = set()
    for pod, users in opening(chart.render(with_every_pod("cloud-sql-proxy"))):
        proxy = pod["spec"]["initContainers"][0]
        assert (proxy["name"], proxy["restartPolicy"]) == ("cloud-sql-proxy", "Always")
        assert proxy["startupProbe"], "the containers after it wait until it has started"
        seen |= {each["name"] for each in users}
    assert seen == OPENS


def test_pods_with_a_token_reach_who_knows_them(chart: Chart) -> None:
    """AWS' token service or the agent of EKS on the node; Entra ID."""
    for name, agents in (("rds-iam", ["169.254.170.23/32"]), ("azure-entra", [])):
        policy = chart.render(with_every_pod(name)).one("NetworkPolicy")
        egress = policy["spec"]["egress"]
        assert [
            each["to"][0]["ipBlock"]["cidr"]
            for each in egress
            if each.get("ports", [{}])[0].get("port") == 80
        ] == agents
    values = with_every_pod("azure-entra")
    values["artifactStore"] = {"s3": {"enabled": True, "bucket": "models", "endpoint": "http://s3:9000"}}
    egress = chart.render(values).one("NetworkPolicy")["spec"]["egress"]
    assert any(
        "0.0.0.0/0" in str(each["to"]) and each["ports"] == [{"protocol": "TCP", "port": 443}]
        for each in egress
    )


def test_cloudnativepg_is_opened_alike_everywhere(chart: Chart) -> None:
    """By the Secret of its cluster and nothing else, in each container that opens the database."""
    values = with_every_pod("cloudnativepg")
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
    assert set(found) == OPENS
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
    rest = {"PGAPPNAME", "PGCONNECT_TIMEOUT", "PGSSLMODE", "PGSERVICE", "PGSERVICEFILE"}
    assert {name for name in env if name.startswith("PG")} == rest
    assert env["MLFLOW_BACKEND_STORE_URI"]["value"] == "postgresql+psycopg2://"
    assert "PostgreSQL of the URI in Secret mlflow-db-app, TLS require" in chart.notes(values)
