"""Where metrics are served, who reads them, when an alert fires, and what a dashboard asks."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.paths import REPO

from render.alerts import FIRES, SILENT, promtool
from render.chart import MLFLOW, PYTHON, Chart, Json, Manifest, postgres, s3
from testbed import tools

SHARED = {**postgres(), **s3()}
ALL = {each: {"enabled": True} for each in ("serviceMonitor", "prometheusRule", "dashboard")}
ALERTS = sorted(path.stem for path in (MLFLOW.folder / "monitoring/alerts").iterdir())
DASHBOARD = json.loads((MLFLOW.folder / "monitoring/dashboard.json").read_text())


def metrics(manifest: Manifest) -> Json | None:
    """The container beside the server."""
    found = [each for each in manifest.server()["containers"] if each["name"] == "metrics"]
    return found[0] if found else None


def exporter(manifest: Manifest) -> Json | None:
    """The pod spec that looks at the stores."""
    found = [item for item in manifest.objects if item["metadata"]["name"] == "mlflow-exporter"]
    deployments = [item for item in found if item["kind"] == "Deployment"]
    return deployments[0]["spec"]["template"]["spec"] if deployments else None


@pytest.mark.parametrize(
    ("values", "parts", "apart"),
    [
        ({}, ["workers", "stores"], False),
        (s3(), ["workers", "stores"], False),
        (postgres(), ["workers"], True),
        (SHARED, ["workers"], True),
    ],
    ids=["embedded", "sqlite-s3", "postgres-local", "shared"],
)
def test_stores_are_looked_at_once(chart: Chart, values: Json, parts: list[str], apart: bool) -> None:
    """By a pod of its own, or, where SQLite is out of its reach, beside the only server."""
    manifest = chart.render(values)
    container = metrics(manifest)
    assert container and container["command"] == [
        *PYTHON,
        "metrics",
        *parts,
    ]
    pod = exporter(manifest)
    assert bool(pod) is apart
    if pod:
        assert pod["containers"][0]["command"] == [*PYTHON, "metrics", "stores"]


def test_off_leaves_nothing(chart: Chart) -> None:
    manifest = chart.render({**SHARED, "metrics": {"enabled": False}})
    assert not metrics(manifest) and not exporter(manifest)
    assert "PROMETHEUS" not in manifest.text.split("kind: ConfigMap")[0]
    assert not [name for name in manifest.names() if re.search("metrics|exporter", name)]
    assert "metrics" not in [volume["name"] for volume in manifest.server()["volumes"]]


def test_workers_and_container_share_a_folder(chart: Chart) -> None:
    """Of the pod, never of a claim: two pods would write over each other's files."""
    manifest = chart.render(SHARED)
    container = metrics(manifest)
    assert container
    folder = manifest.env()["MLFLOW_EXPOSE_PROMETHEUS"]
    for each in (manifest.container(), container):
        assert {"name": "metrics", "mountPath": folder} in each["volumeMounts"]
    assert {"name": "metrics", "emptyDir": {"sizeLimit": "256Mi"}} in manifest.server()["volumes"]
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    assert env["MLFLOW_EXPOSE_PROMETHEUS"] == folder
    assert env["MLFLOW_PORT"] == manifest.env()["MLFLOW_PORT"]


def test_the_container_beside_the_server_knows_no_secret(chart: Chart) -> None:
    secret = {"credentialsFromSecret": {"enabled": True}}
    values = {**postgres(), **s3(**secret), "mlflow": {"envFrom": [{"secretRef": {"name": "keys"}}]}}
    manifest = chart.render(values)
    container, pod = metrics(manifest), exporter(manifest)
    assert container and pod
    assert not [entry for entry in container["env"] if "valueFrom" in entry] and "envFrom" not in container
    read = {
        entry["name"] for entry in pod["containers"][0]["env"] if "secretKeyRef" in entry.get("valueFrom", {})
    }
    assert read == {"PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "keys"}}]


def test_the_exporter_fits_any_node(chart: Chart) -> None:
    """It mounts no claim: a ReadWriteOnce one would tie it to the server's node, or keep it waiting."""
    pod = exporter(chart.render(postgres()))
    assert pod and not [volume for volume in pod["volumes"] if "persistentVolumeClaim" in volume]


def test_sqlite_is_read_and_not_written(chart: Chart) -> None:
    container = metrics(chart.render())
    assert container
    assert {"name": "data", "mountPath": "/mlflow", "readOnly": True} in container["volumeMounts"]


def test_the_health_check_follows_the_prefix(chart: Chart) -> None:
    container = metrics(chart.render({**SHARED, "mlflow": {"staticPrefix": "/tools/mlflow"}}))
    assert container
    assert {"name": "MLFLOW_STATIC_PREFIX", "value": "/tools/mlflow"} in container["env"]


@pytest.mark.parametrize("port", [9464, 9100])
def test_the_monitor_finds_what_serves(chart: Chart, port: int) -> None:
    """Monitor -> Services by labels and port name -> pods by labels and port name -> containers."""
    manifest = chart.render({**SHARED, **ALL, "metrics": {"port": port}})
    monitor = manifest.one("ServiceMonitor")["spec"]
    services = [item for item in manifest.objects if item["kind"] == "Service" and _selected(monitor, item)]
    assert [item["metadata"]["name"] for item in services] == ["mlflow-exporter", "mlflow-metrics"]
    (endpoint,) = monitor["endpoints"]
    assert {key: endpoint[key] for key in ("port", "path", "interval", "scrapeTimeout")} == {
        "port": "metrics",
        "path": "/metrics",
        "interval": "30s",
        "scrapeTimeout": "10s",
    }
    found = set()
    for service in services:
        (entry,) = service["spec"]["ports"]
        assert (entry["name"], entry["port"]) == (endpoint["port"], port)
        selector = service["spec"]["selector"].items()
        for _, pod in manifest.pods():
            if selector <= pod["metadata"]["labels"].items():
                ports = [
                    (box["name"], each) for box in pod["spec"]["containers"] for each in box.get("ports", [])
                ]
                found |= {
                    (name, each["containerPort"])
                    for name, each in ports
                    if each["name"] == entry["targetPort"]
                }
    assert found == {("metrics", port), ("exporter", port)}


def test_the_monitor_is_what_a_prometheus_looks_for(chart: Chart) -> None:
    """Labels, timeouts, and how a mesh lets it in."""
    case = MLFLOW.folder / "ci/metrics-values.yaml"
    wanted = yaml.safe_load(case.read_text())["serviceMonitor"]
    monitor = chart.render(case).one("ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert wanted["labels"].items() <= monitor["metadata"]["labels"].items()
    assert (endpoint["interval"], endpoint["scrapeTimeout"]) == (wanted["interval"], wanted["scrapeTimeout"])
    assert wanted["endpoint"].items() <= endpoint.items()


def _selected(monitor: Json, service: Json) -> bool:
    labels = service["metadata"]["labels"]
    wanted = monitor["selector"]["matchLabels"].items() <= labels.items()
    return wanted and all(
        labels[each["key"]] in each["values"] for each in monitor["selector"]["matchExpressions"]
    )


def test_metrics_stay_in_the_cluster(chart: Chart) -> None:
    """However the server's Service is exposed."""
    manifest = chart.render({**SHARED, "service": {"type": "LoadBalancer"}})
    assert [port["port"] for port in manifest.one("Service")["spec"]["ports"]] == [80, 5000]
    assert manifest.one("Service", "mlflow-metrics")["spec"]["clusterIP"] == "None"
    assert "type" not in manifest.one("Service", "mlflow-exporter")["spec"]


@pytest.fixture(scope="module")
def rules() -> dict[str, Json]:
    """The alerts that the chart makes by default, by name."""
    return _rules(MLFLOW.render({**ALL}))


def _rules(manifest: Manifest) -> dict[str, Json]:
    (group,) = manifest.one("PrometheusRule")["spec"]["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_every_alert_is_made_and_tried(rules: dict[str, Json]) -> None:
    assert sorted(rules) == ALERTS == sorted(FIRES) == sorted(SILENT)
    assert all(FIRES.values()) and all(SILENT.values())


@pytest.mark.parametrize("alert", ALERTS)
def test_alert_fires_when_it_should(rules: dict[str, Json], alert: str, tmp_path: Path) -> None:
    """And not otherwise; the words are those that the on-call person reads."""
    assert _promtool(rules, {"tests": promtool(alert, rules[alert])}, tmp_path) == ""


def _promtool(rules: dict[str, Json], tests: Json, folder: Path) -> str:
    """What `promtool test rules` complains about."""
    (folder / "rules.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "mlflow", "rules": [*rules.values()]}]})
    )
    (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], **tests}))
    command = [str(tools.ensure("promtool")), "test", "rules", str(folder / "tests.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def test_the_alert_tests_can_fail(rules: dict[str, Json], tmp_path: Path) -> None:
    """A threshold that is never reached is found out."""
    deaf = {**rules["MLflowVolumeFull"], "expr": rules["MLflowVolumeFull"]["expr"].replace("> 85", "> 99")}
    tests = {"tests": promtool("MLflowVolumeFull", rules["MLflowVolumeFull"])}
    assert "FAILED" in _promtool({"MLflowVolumeFull": deaf}, tests, tmp_path)


def test_alerts_are_this_releases(chart: Chart) -> None:
    """Two releases beside each other do not wake each other's people."""
    manifest = chart.render(ALL, release="second", namespace="other")
    assert "<" not in "".join(
        re.sub("<= |< ", "", rule["expr"]) for rule in _rules_of(manifest, "second-mlflow")
    )
    for rule in _rules_of(manifest, "second-mlflow"):
        selectors = re.findall(r"\{([^}]*)\}", rule["expr"])
        assert selectors
        for selector in selectors:
            assert 'namespace="other"' in selector
            assert 'job="second"' in selector or 'persistentvolumeclaim="second-mlflow"' in selector


def _rules_of(manifest: Manifest, name: str) -> list[Json]:
    return manifest.one("PrometheusRule", name)["spec"]["groups"][0]["rules"]


def test_without_a_volume_nothing_watches_it(chart: Chart) -> None:
    assert sorted(_rules(chart.render({**SHARED, **ALL}))) == [
        each for each in ALERTS if each != "MLflowVolumeFull"
    ]
    mine = chart.render({**ALL, "persistence": {"existingClaim": "mine"}})
    assert 'persistentvolumeclaim="mine"' in _rules(mine)["MLflowVolumeFull"]["expr"]


def test_alerts_meet_promtools_checks(rules: dict[str, Json], tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "mlflow", "rules": [*rules.values()]}]}))
    done = subprocess.run([tools.ensure("promtool"), "check", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0 and f"{len(rules)} rules found" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_runbook(rules: dict[str, Json], alert: str) -> None:
    """Where the annotation says: what it means, what to look at, what to do."""
    assert rules[alert]["annotations"]["runbook_url"] == f"docs/runbooks/{alert}.md"
    text = (REPO / f"docs/runbooks/{alert}.md").read_text()
    assert text.startswith(f"# {alert}\n")
    assert re.findall("(?m)^## (.*)$", text) == ["Meaning", "Diagnosis", "Mitigation"]
    assert rules[alert]["labels"]["severity"] in ("critical", "warning")


def test_no_runbook_without_its_alert() -> None:
    assert sorted(path.stem for path in (REPO / "docs/runbooks").glob("MLflow*.md")) == ALERTS


def queries() -> list[Any]:
    """Every query of the dashboard, with the panel that asks it."""
    return [
        pytest.param(target["expr"], id=f"{panel['title']}-{target['refId']}")
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    ]


def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    expressions = [query.values[0].replace("$__rate_interval", "5m") for query in queries()]
    records = [{"record": f"query:{number}", "expr": each} for number, each in enumerate(expressions)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))
    done = subprocess.run([tools.ensure("promtool"), "check", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("query", queries())
def test_query_asks_for_the_chosen_release(query: str) -> None:
    for selector in re.findall(r"\{([^}]*)\}", query):
        assert 'namespace="$namespace"' in selector
        assert "$job" in selector or "container=~" in selector


def test_dashboard_can_be_imported(chart: Chart) -> None:
    """Whole, by Grafana's sidecar, with the data source that its reader chooses."""
    manifest = chart.render(ALL)
    config = manifest.one("ConfigMap", "mlflow-dashboard")
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    (name,) = config["data"]
    assert name == "ml-mlflow.json"
    assert json.loads(config["data"][name]) == DASHBOARD
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 20
    assert {panel["datasource"]["uid"] for panel in panels if "targets" in panel} == {"${datasource}"}
    assert "id" not in DASHBOARD and DASHBOARD["uid"]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_every_colour_finds_its_series() -> None:
    """Grafana is silent about an override whose legend has another name by now."""
    for panel in DASHBOARD["panels"]:
        legends = {target["legendFormat"] for target in panel.get("targets", [])}
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            matcher = override["matcher"]
            by_label = any("{{" in legend for legend in legends)
            assert by_label or (matcher["id"] == "byName" and matcher["options"] in legends), panel["title"]


def test_the_picture_knows_all_that_the_dashboard_uses() -> None:
    """`make picture` would leave out a setting that it does not know, without a message."""
    drawn = (REPO / "docs/dashboard/page.tsx").read_text()
    used = {panel["type"] for panel in DASHBOARD["panels"]}
    for panel in DASHBOARD["panels"]:
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        used |= config["defaults"].keys() - {"custom"} | config["defaults"].get("custom", {}).keys()
        used |= {each["id"].split(".")[-1] for rule in config["overrides"] for each in rule["properties"]}
    assert len(used) > 10
    assert {name for name in used if not re.search(rf"\b{name}\b(:|'| \}})", drawn)} == set()
