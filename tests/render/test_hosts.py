"""Which Host and Origin headers the server takes, judged by MLflow's own rules on what the chart renders."""

import pytest
from mlflow.server.security_utils import is_allowed_host_header, should_block_cors_request

from render.chart import Chart, Json


def allowed(chart: Chart, host: str, values: Json | None = None, pod_ip: str = "100.64.3.7") -> bool:
    """MLflow's verdict, with the pod's address as Kubernetes fills it in."""
    rendered = chart.render(values).env()["MLFLOW_SERVER_ALLOWED_HOSTS"] or ""
    return is_allowed_host_header(rendered.replace("$(POD_IP)", pod_ip).split(","), host)


NAMES = [
    "mlflow",
    "mlflow.ml",
    "mlflow.ml.svc",
    "mlflow.ml.svc.cluster.local",
    "mlflow.ml.svc.cluster.local.",
]


@pytest.mark.parametrize("port", ["", ":80", ":5000"])
@pytest.mark.parametrize("host", [*NAMES, "localhost", "127.0.0.1", "[::1]", "100.64.3.7"])
def test_ways_into_the_pod(chart: Chart, host: str, port: str) -> None:
    """Service names in every form, port-forward, scraping by an address outside of RFC 1918."""
    assert allowed(chart, host + port)


@pytest.mark.parametrize("host", ["[fd12:3456::7]", "[fd12:3456::7]:5000"])
def test_pods_with_ipv6(chart: Chart, host: str) -> None:
    assert allowed(chart, host, pod_ip="fd12:3456::7")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "mlflow.evil.com",
        "mlflow.ml.evil.com",
        "10.evil.com",
        "mlflow.other",
        "",
    ],
)
def test_foreign_hosts(chart: Chart, host: str) -> None:
    assert not allowed(chart, host)


def test_other_names_follow_the_release(chart: Chart) -> None:
    values: Json = {"fullnameOverride": "tracking", "clusterDomain": "corp.local"}
    assert allowed(chart, "tracking.ml.svc.corp.local:5000", values)
    assert not allowed(chart, "mlflow.ml.svc.cluster.local:5000", values)


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("mlflow.example.com", True),
        ("mlflow.example.com:443", True),
        ("a.apps.example.com:8443", True),
        ("internal.example.com:8443", True),
        ("internal.example.com", False),
        ("other.example.com", False),
    ],
)
def test_own_hosts(chart: Chart, host: str, verdict: bool) -> None:
    hosts = ["mlflow.example.com", "*.apps.example.com*", "internal.example.com:8443"]
    assert allowed(chart, host, {"mlflow": {"allowedHosts": hosts}}) is verdict


DNS = "external-dns.alpha.kubernetes.io/"
NAMED = {
    "hostnames": ({"hostnames": ["ml.example.com"]}, "ml.example.com"),
    "node": ({"type": "NodePort", "hostnames": ["node-1.lan"]}, "node-1.lan"),
    "external-dns": ({"annotations": {f"{DNS}hostname": "a.example.com, b.example.com."}}, "b.example.com"),
    "external-dns, inside": ({"annotations": {f"{DNS}internal-hostname": "c.lan"}}, "c.lan"),
}


@pytest.mark.parametrize("port", ["", ":30080"])
@pytest.mark.parametrize("name", NAMED)
def test_names_of_the_service(chart: Chart, name: str, port: str) -> None:
    service, host = NAMED[name]
    assert allowed(chart, host + port, {"service": service})
    assert host in chart.notes({"service": service}).split("  hosts      ")[1].splitlines()[0]


def test_the_name_of_a_service_is_an_address_and_that_of_a_node_is_none(chart: Chart) -> None:
    """Port 80 is that of the Service; a node has another one."""
    hosts = ["ml.example.com"]
    assert "Open the UI   http://ml.example.com\n" in chart.notes({"service": {"hostnames": hosts}})
    assert "http://ml.example.com" not in chart.notes({"service": {"type": "NodePort", "hostnames": hosts}})


def test_every_host_when_asked(chart: Chart) -> None:
    assert allowed(chart, "anything.example.com", {"mlflow": {"allowedHosts": ["*"]}})


@pytest.mark.parametrize(
    ("origin", "blocked"),
    [
        ("https://mlflow.example.com", False),
        ("http://mlflow.example.com", True),
        ("https://evil.example.com", True),
        ("http://localhost:5000", False),
    ],
)
def test_origins(chart: Chart, origin: str, blocked: bool) -> None:
    values = {"mlflow": {"corsAllowedOrigins": ["https://mlflow.example.com"]}}
    rendered = chart.render(values).env()["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] or ""
    assert should_block_cors_request(origin, "POST", rendered.split(",")) is blocked


def test_no_origin_by_default(chart: Chart) -> None:
    assert "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS" not in chart.render().env()
