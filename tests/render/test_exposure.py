"""The ways in from outside: what Ingress and HTTPRoute hold, and that the server answers to their hosts."""

from pathlib import Path

import pytest
import yaml
from mlflow.server.security_utils import is_allowed_host_header, should_block_cors_request
from mlflowops.paths import REPO

from render.chart import MLFLOW, POSTGRESQL, SEAWEEDFS, Chart, Json
from render.exposure import ingress, route

HOST = "mlflow.example.com"
EXAMPLES = sorted((REPO / "examples/exposure").glob("*.yaml"))
TYPICAL: Json = yaml.safe_load((MLFLOW.folder / "ci/typical-values.yaml").read_text())["ingress"]


def blocked(chart: Chart, values: Json, origin: str) -> bool:
    """MLflow's verdict on a request that changes something, from a page of that origin."""
    rendered = chart.render(values).env().get("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS") or ""
    return should_block_cors_request(origin, "POST", rendered.split(","))


def answers(chart: Chart, values: Json, host: str) -> bool:
    rendered = chart.render(values).env()["MLFLOW_SERVER_ALLOWED_HOSTS"] or ""
    return is_allowed_host_header(rendered.split(","), host)


def test_a_typical_ingress_arrives_as_written(chart: Chart) -> None:
    """Class, annotations, hosts and TLS are those of the values."""
    found = chart.render({"ingress": TYPICAL}).one("Ingress", "mlflow")
    backend = {"service": {"name": "mlflow", "port": {"name": "http"}}}
    assert found["metadata"]["annotations"] == TYPICAL["annotations"]
    assert found["spec"] == {
        "ingressClassName": "nginx",
        "rules": [
            {"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
        ],
        "tls": TYPICAL["tls"],
    }


@pytest.mark.parametrize("values", [ingress(HOST), route()], ids=["ingress", "route"])
def test_hosts_are_allowed_by_themselves(chart: Chart, values: Json) -> None:
    """With any port, and the Service's names; no others."""
    for host in (HOST, f"{HOST}:443", f"{HOST}:8443", "mlflow.ml.svc.cluster.local", "localhost:5000"):
        assert answers(chart, values, host), host
    for host in ("evil.example.com", f"evil-{HOST}", f"{HOST}.evil.com"):
        assert not answers(chart, values, host), host


@pytest.mark.parametrize(
    "values", [ingress(HOST, enabled=False), route(enabled=False)], ids=["ingress", "route"]
)
def test_hosts_of_what_is_off_are_not(chart: Chart, values: Json) -> None:
    manifest = chart.render(values)
    assert HOST not in manifest.text
    assert not {"Ingress/mlflow", "HTTPRoute/mlflow"} & set(manifest.names())


@pytest.mark.parametrize("each", [MLFLOW, POSTGRESQL, SEAWEEDFS], ids=lambda each: each.folder.name)
def test_nothing_is_outside_the_cluster_unless_asked(each: Chart) -> None:
    objects = each.render().objects
    assert {item["kind"] for item in objects}.isdisjoint({"Ingress", "HTTPRoute"})
    services = [item["spec"] for item in objects if item["kind"] == "Service"]
    assert services and {spec.get("type", "ClusterIP") for spec in services} == {"ClusterIP"}


TLS = [{"secretName": "tls", "hosts": [HOST]}]


@pytest.mark.parametrize(
    ("values", "plain"),
    [
        (ingress(HOST), True),
        (ingress(HOST, tls=TLS), False),
        (ingress(HOST, tls=[{"secretName": "tls"}]), False),
        (ingress(HOST, tls=[{"secretName": "tls", "hosts": ["*.example.com"]}]), False),
        (ingress(HOST, "other.example.com", tls=[{"hosts": ["other.example.com"]}]), True),
        (route(), True),
        (route(redirectParentRefs=[{"name": "public", "sectionName": "http"}]), False),
    ],
    ids=["plain", "tls", "tls-for-all", "tls-wildcard", "tls-for-another", "route", "route-redirect"],
)
def test_origins_follow_tls(chart: Chart, values: Json, plain: bool) -> None:
    """https always: who has no certificate here may have one before the controller. http only without."""
    assert not blocked(chart, values, f"https://{HOST}")
    assert blocked(chart, values, f"http://{HOST}") is not plain
    assert blocked(chart, values, "https://evil.example.org")


def test_wildcards_stay_in_their_domain(chart: Chart) -> None:
    values = ingress("*.example.com", tls=[{"secretName": "tls", "hosts": ["*.example.com"]}])
    assert answers(chart, values, "a.example.com") and answers(chart, values, "a.example.com:443")
    assert not blocked(chart, values, "https://a.example.com")
    assert not answers(chart, values, "a.example.com.evil.org")
    assert blocked(chart, values, "https://example.com.evil.org")


def test_own_lists_are_kept_and_nothing_stands_twice(chart: Chart) -> None:
    own = {
        "allowedHosts": [HOST, "x.example.com"],
        "corsAllowedOrigins": [f"https://{HOST}", "https://x.com"],
    }
    env = chart.render({**ingress(HOST, tls=TLS), "mlflow": own}).env()
    hosts = (env["MLFLOW_SERVER_ALLOWED_HOSTS"] or "").split(",")
    assert hosts.count(HOST) == hosts.count(f"{HOST}:*") == hosts.count("x.example.com") == 1
    assert env["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == f"https://{HOST},https://x.com"


def test_route_leads_to_the_service(chart: Chart) -> None:
    found = chart.render(route()).one("HTTPRoute", "mlflow")["spec"]
    assert found == {
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}],
        "hostnames": [HOST],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"group": "", "kind": "Service", "name": "mlflow", "port": 80, "weight": 1}],
            }
        ],
    }


def test_redirect_has_a_route_of_its_own(chart: Chart) -> None:
    manifest = chart.render(MLFLOW.folder / "ci/http-route-values.yaml")
    redirect = manifest.one("HTTPRoute", "mlflow-redirect")["spec"]
    assert [each["sectionName"] for each in redirect["parentRefs"]] == ["http"]
    assert "backendRefs" not in redirect["rules"][0]
    assert redirect["rules"][0]["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}


def test_route_follows_the_static_prefix(chart: Chart) -> None:
    listener = [{"name": "public", "sectionName": "http"}]
    manifest = chart.render({**route(redirectParentRefs=listener), "mlflow": {"staticPrefix": "/ml"}})
    for name in ("mlflow", "mlflow-redirect"):
        (rule,) = manifest.one("HTTPRoute", name)["spec"]["rules"]
        assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/ml"}}]


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/", "/tools/mlflow"),
        ("/tools", "/tools/mlflow"),
        ("/tools/mlflow/", "/tools/mlflow"),
        ("/tools/mlflow/api", "/tools/mlflow"),
        ("/api", ""),
        ("/metrics", "/tools/mlflow"),
    ],
)
def test_paths_that_lead_somewhere(chart: Chart, path: str, prefix: str) -> None:
    values = {**ingress(HOST, path={"path": path}), "mlflow": {"staticPrefix": prefix}}
    (rule,) = chart.render(values).one("Ingress")["spec"]["rules"]
    assert rule["http"]["paths"][0]["path"] == path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_of_controllers(chart: Chart, example: Path) -> None:
    """Each renders, together with production's stores, and lets its own pages work."""
    values = yaml.safe_load(example.read_text())
    values.setdefault("networkPolicy", {})["enabled"] = True
    assert {"Ingress/mlflow", "HTTPRoute/mlflow"} & set(chart.render(values).names())
    assert answers(chart, values, HOST) and not blocked(chart, values, f"https://{HOST}")
    assert example.read_text().startswith("# ")
