"""Whom the NetworkPolicy covers, whom it lets in and out. Real pods try it in tests/e2e."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml

from render.chart import MLFLOW, Chart, Json, Manifest, azure, gcs, postgres, s3
from render.exposure import ingress, policy

RELEASE = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": "mlflow"}
SELF = [{"podSelector": {"matchLabels": RELEASE}}]
ANYWHERE = [
    {
        "ipBlock": {
            "cidr": "0.0.0.0/0",
            "except": ["169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32"],
        }
    },
    {"ipBlock": {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128"]}},
]
# Where clouds and their agents give out credentials.
METADATA = [
    "169.254.169.254", "169.254.169.252", "169.254.170.2", "169.254.170.23", "fe80::a9fe:a9fe",
    "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16",
]  # fmt: skip


def of(chart: Chart, *values: Json) -> Json:
    merged: Json = {}
    for each in values:
        merged |= each
    spec: Json = chart.render(merged | policy()).one("NetworkPolicy")["spec"]
    return spec


def namespace(name: str) -> Json:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def tcp(port: int) -> list[Json]:
    return [{"protocol": "TCP", "port": port}]


def to(spec: Json, port: int) -> list[Any]:
    """All peers that the pods may reach on a TCP port, the release itself left out."""
    rules = [rule for rule in spec["egress"] if {"protocol": "TCP", "port": port} in rule.get("ports", [])]
    return [peer for rule in rules for peer in rule["to"]]


def test_every_pod_is_covered_in_both_directions(rendered: Manifest) -> None:
    """Server, exporter, test and jobs; not the pods of another release."""
    policies = [item for item in rendered.objects if item["kind"] == "NetworkPolicy"]
    for each in policies:
        assert each["spec"]["policyTypes"] == ["Ingress", "Egress"]
        wanted = each["spec"]["podSelector"]["matchLabels"].items()
        assert all(wanted <= pod["metadata"]["labels"].items() for _, pod in rendered.pods())


def test_no_rule_is_open_by_itself(chart: Chart) -> None:
    """Each has peers, and those of other namespaces a port (charts exist whose rules let in any pod)."""
    spec = of(chart, postgres(), s3(), ingress("mlflow.example.com"), {"serviceMonitor": {"enabled": True}})
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec[side]:
            assert rule[peers] and {} not in rule[peers]
            assert rule[peers] == SELF or rule["ports"]


def test_the_default_lets_in_the_release_and_prometheus(chart: Chart) -> None:
    """No Ingress, no controller. The release's own test pod is let in."""
    spec = of(chart)
    assert spec["ingress"] == [{"from": SELF}, {"from": [namespace("monitoring")], "ports": tcp(9464)}]
    assert spec["egress"][0] == {"to": SELF}
    assert of(chart, {"metrics": {"enabled": False}})["ingress"] == [{"from": SELF}]


def test_typical_rules_arrive_as_written(chart: Chart) -> None:
    values = yaml.safe_load((MLFLOW.folder / "ci/typical-values.yaml").read_text())
    spec = of(chart, values | policy(ingress=values["networkPolicy"]["ingress"]))
    given = chart.render(values).one("NetworkPolicy")["spec"]
    assert given["ingress"][-1] == {
        "from": [{"namespaceSelector": {"matchLabels": {"name": "data"}}}],
        "ports": tcp(5000),
    }
    assert given["ingress"][:-1] == spec["ingress"]
    assert {"from": [namespace("traefik")], "ports": tcp(5000)} in given["ingress"]


def test_dns(chart: Chart) -> None:
    """Kubernetes' own, OpenShift's with its own port, the cache on the node; both protocols."""
    (rule,) = [
        each for each in of(chart)["egress"] if {"protocol": "UDP", "port": 53} in each.get("ports", [])
    ]
    assert {each["port"] for each in rule["ports"]} == {53, 5353}
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in rule["to"]


@pytest.mark.parametrize(
    ("host", "peers"),
    [
        ("postgres.db.svc.cluster.local", [namespace("db")]),
        ("postgres.db.svc", [namespace("db")]),
        ("pg-0.postgres.db.svc.cluster.local.", [namespace("db")]),
        ("postgres", [{"podSelector": {}}]),
        ("10.1.2.3", [{"ipBlock": {"cidr": "10.1.2.3/32"}}]),
        ("postgres.example.com", ANYWHERE),
        ("db.svc.example.com", ANYWHERE),
    ],
)
def test_database(chart: Chart, host: str, peers: list[Json]) -> None:
    """By the namespace in its name or by its address; for other names only the port is fixed."""
    assert to(of(chart, postgres(host=host, port=6432)), 6432) == peers


@pytest.mark.parametrize(
    ("endpoint", "port", "peers"),
    [
        ("http://seaweedfs.ml.svc.cluster.local:8333", 8333, [namespace("ml")]),
        ("http://minio.store.svc", 80, [namespace("store")]),
        ("https://s3.example.com", 443, ANYWHERE),
        ("https://10.9.8.7:9000", 9000, [{"ipBlock": {"cidr": "10.9.8.7/32"}}]),
        ("http://[2001:db8::1]:9000", 9000, [{"ipBlock": {"cidr": "2001:db8::1/128"}}]),
        ("http://[2001:db8::1]", 80, [{"ipBlock": {"cidr": "2001:db8::1/128"}}]),
        ("", 443, ANYWHERE),
    ],
)
def test_object_store(chart: Chart, endpoint: str, port: int, peers: list[Json]) -> None:
    assert to(of(chart, s3(endpoint=endpoint)), port) == peers


def test_mysql(chart: Chart) -> None:
    """Its host is in a Secret, so the policy gets its address from the values."""
    spec = chart.render(MLFLOW.folder / "ci/mysql-values.yaml").one("NetworkPolicy")["spec"]
    assert to(spec, 3306) == [{"ipBlock": {"cidr": "10.20.0.0/28"}}]


def test_no_store_no_way_out(chart: Chart) -> None:
    """With everything on the volume there is DNS and the release itself, nothing else."""
    assert len(of(chart)["egress"]) == 2


def test_keys_from_the_agent_of_eks(chart: Chart) -> None:
    """Only where pods take S3's keys from their identity."""
    agent = [{"ipBlock": {"cidr": "169.254.170.23/32"}}]
    assert to(of(chart, s3()), 80) == agent
    assert to(of(chart, s3(credentialsFromSecret={"enabled": True})), 80) == []
    assert to(of(chart, s3(endpoint="https://s3.example.com")), 80) == []
    assert to(of(chart, s3(endpoint="https://s3.eu-west-1.amazonaws.com")), 80) == agent


def reachable(spec: Json, address: str) -> set[int]:
    """The TCP ports of an address that the egress rules leave open."""
    found = set()
    for rule in spec["egress"]:
        for block in [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]:
            inside = [ip_address(address) in ip_network(each) for each in block.get("except", [])]
            if ip_address(address) in ip_network(block["cidr"]) and not any(inside):
                found |= {port["port"] for port in rule["ports"] if port["protocol"] == "TCP"}
    return found


IDENTITY: dict[str, tuple[Json, dict[str, set[int]]]] = {
    "S3 in clear text": (s3(endpoint="http://s3.example.com", credentialsFromSecret={"enabled": True}), {}),
    "S3 without keys in clear text": (s3(endpoint="http://s3.example.com"), {}),
    "S3 with keys": (s3(credentialsFromSecret={"enabled": True}), {}),
    "S3": (s3(), {"169.254.170.23": {80}}),
    "Google with a key": (gcs(credentialsFromSecret={"enabled": True}), {}),
    "Google": (gcs(), {"169.254.169.254": {80}, "169.254.169.252": {987, 988}}),
    "Azure": (azure(), {}),
    "Azure by an endpoint": (
        azure(endpoint="http://blob.example.com", credentialsFromSecret={"enabled": True}),
        {},
    ),
}


@pytest.mark.parametrize("identity", IDENTITY)
def test_metadata_services_are_out_of_reach(chart: Chart, identity: str) -> None:
    """But for what the chosen identity needs, by address and port."""
    values, allowed = IDENTITY[identity]
    spec = of(chart, postgres(host="db.example.com"), values)
    assert {address: reachable(spec, address) for address in METADATA} == {
        address: allowed.get(address, set()) for address in METADATA
    }
    assert 5432 in reachable(spec, "203.0.113.7") & reachable(spec, "2001:db8::1")


def test_no_example_leaves_every_address_open(rendered: Manifest) -> None:
    """Whatever of the chart's own is as wide as the internet has the same exceptions."""
    policies = [item["spec"] for item in rendered.objects if item["kind"] == "NetworkPolicy"]
    peers = [peer for spec in policies for rule in spec["egress"] for peer in rule["to"]]
    wide = [peer for peer in peers if peer.get("ipBlock", {}).get("cidr") in ("0.0.0.0/0", "::/0")]
    assert all(peer in ANYWHERE for peer in wide)


def test_peers_take_the_place_of_the_guess(chart: Chart) -> None:
    spec = chart.render(MLFLOW.folder / "ci/network-policy-values.yaml").one("NetworkPolicy")["spec"]
    assert to(spec, 5432) == [{"ipBlock": {"cidr": "10.20.0.0/28"}}]
    assert to(spec, 9000) == [{"ipBlock": {"cidr": "10.30.0.0/24"}}]
    assert to(spec, 8080) == []  # a range, as given
    assert spec["egress"][-1]["ports"] == [{"protocol": "TCP", "port": 8080, "endPort": 8090}]
