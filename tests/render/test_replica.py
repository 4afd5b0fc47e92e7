"""The read replica: which containers know it, and how the pods reach it."""

import pytest

from render.chart import Chart, Json, postgres, s3
from render.exposure import policy

HOST, PORT = (f"MLFLOW_KUBERNETES_READ_REPLICA_{each}" for each in ("HOST", "PORT"))


def replica(host: str = "replica.example.com", port: int = 5433) -> Json:
    return {**postgres(readReplica={"host": host, "port": port}), **s3()}


def test_server_migration_and_exporter_know_it(chart: Chart) -> None:
    manifest = chart.render(replica())
    exporter = manifest.component("Deployment", "exporter")["spec"]["template"]["spec"]["containers"][0]
    exporters = {each["name"]: each.get("value") for each in exporter["env"]}
    for env in (manifest.env(), manifest.env("schema"), exporters):
        assert (env[HOST], env[PORT]) == ("replica.example.com", "5433")
    assert HOST not in chart.render({**postgres(), **s3()}).env()


@pytest.mark.parametrize(
    ("host", "peers", "wanted"),
    [
        ("10.1.2.3", [], [{"ipBlock": {"cidr": "10.1.2.3/32"}}]),
        ("replica", [], [{"podSelector": {}}]),
        ("replica.example.com", [{"ipBlock": {"cidr": "10.0.0.0/8"}}], [{"ipBlock": {"cidr": "10.0.0.0/8"}}]),
    ],
)
def test_pods_may_reach_it(chart: Chart, host: str, peers: list[Json], wanted: list[Json]) -> None:
    """By its name, or among the peers of the database."""
    values = {**replica(host), **policy(peers={"database": peers})}
    egress = chart.render(values).one("NetworkPolicy")["spec"]["egress"]
    [rule] = [each for each in egress if {"protocol": "TCP", "port": 5433} in each.get("ports", [])]
    assert rule["to"] == wanted
