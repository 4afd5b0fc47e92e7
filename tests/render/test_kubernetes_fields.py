"""Fields of Kubernetes that pass through under its own names, and are absent unless they are set."""

import pytest

from render.chart import MLFLOW, Chart, Json, postgres, s3

CASE = MLFLOW.folder / "ci/kubernetes-fields-values.yaml"
SECRET: Json = {"valueFrom": {"secretKeyRef": {"name": "tokens", "key": "wandb"}}}


def test_the_service_has_none_by_default(chart: Chart) -> None:
    spec = chart.render().one("Service")["spec"]
    assert spec.keys() == {"type", "selector", "ports"}
    assert [port.keys() & {"nodePort"} for port in spec["ports"]] == [set(), set()]


def test_fields_of_the_service(chart: Chart) -> None:
    spec = chart.render(CASE).one("Service")["spec"]
    assert [port.get("nodePort") for port in spec["ports"]] == [30080, None]
    assert {key: value for key, value in spec.items() if key not in ("ports", "selector")} == {
        "type": "LoadBalancer",
        "clusterIP": "10.96.0.50",
        "loadBalancerClass": "example.com/internal",
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "Cluster",
        "ipFamilyPolicy": "PreferDualStack",
        "ipFamilies": ["IPv4", "IPv6"],
    }


def test_fields_of_the_deployments(chart: Chart) -> None:
    values = {
        **postgres(),
        **s3(),
        "revisionHistoryLimit": 0,
        "minReadySeconds": 10,
        "jobs": {"enabled": True},
    }
    specs = [item["spec"] for item in chart.render(values).objects if item["kind"] == "Deployment"]
    assert [(spec["revisionHistoryLimit"], spec["minReadySeconds"]) for spec in specs] == [(0, 10)] * 3


def test_probes_begin_later_when_asked(chart: Chart) -> None:
    server = chart.render(CASE).container()
    probes = [server[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert [probe["initialDelaySeconds"] for probe in probes] == [2, 1, 10]
    assert "initialDelaySeconds" not in chart.render().container()["startupProbe"]


def test_successes_until_a_pod_is_ready(chart: Chart) -> None:
    """The other probes have none to choose: Kubernetes takes 1 alone."""
    server = chart.render(CASE).container()
    names = ("startupProbe", "readinessProbe", "livenessProbe")
    assert [server[name]["successThreshold"] for name in names] == [1, 2, 1]


def test_variables_with_a_source(chart: Chart) -> None:
    entries = {each["name"]: each for each in chart.render(CASE).container()["env"]}
    assert entries["NODE_IP"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.hostIP"}}
    assert entries["WANDB_API_KEY"]["valueFrom"]["secretKeyRef"] == {"name": "company-tokens", "key": "wandb"}


@pytest.mark.parametrize("name", ["DO_NOT_TRACK", "MLFLOW_ENABLE_AI_GATEWAY"])
def test_a_source_replaces_what_the_chart_sets(chart: Chart, name: str) -> None:
    assert chart.render({"mlflow": {"env": {name: SECRET}}}).env()[name] is None


def test_an_empty_variable_replaces_what_the_chart_sets(chart: Chart) -> None:
    assert chart.render({"mlflow": {"env": {"DO_NOT_TRACK": ""}}}).env()["DO_NOT_TRACK"] == ""


def test_a_variable_with_a_source_reaches_python_and_not_postgresqls_programs(chart: Chart) -> None:
    values = {**postgres(), **s3(path="a"), "backup": {"enabled": True}}
    manifest = chart.render({**values, "mlflow": {"env": {"PGSSLKEY": SECRET, "OTHER": SECRET}}})
    pod = manifest.one("CronJob", "mlflow-backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    names = {each["name"]: {entry["name"] for entry in each["env"]} for each in pod["containers"]}
    assert names["postgres"] == {"HOME"}, "the Python beside it hands PGSSLKEY on"
    assert {"PGSSLKEY", "OTHER"} <= names["backup"]


def test_backups_with_credentials_of_their_own_take_no_other_secret(chart: Chart) -> None:
    own = {"enabled": True, "name": "backups"}
    field = {"valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    env = {"A": SECRET, "AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET, "NODE_IP": field}
    values = {**postgres(), **s3(path="a"), "backup": {"enabled": True, "credentialsFromSecret": own}}
    manifest = chart.render({**values, "mlflow": {"env": env}})
    pod = manifest.one("CronJob", "mlflow-backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = [each for each in pod["containers"] if each["name"] == "backup"]
    entries = [(each["name"], each.get("valueFrom")) for each in container["env"]]
    assert len(dict(entries)) == len(entries) and "A" not in dict(entries)
    assert dict(entries)["NODE_IP"] == field["valueFrom"]
    assert dict(entries)["AWS_ACCESS_KEY_ID"] == {
        "secretKeyRef": {"name": "backups", "key": "AWS_ACCESS_KEY_ID"}
    }


@pytest.mark.parametrize("optional", [False, True])
def test_external_secrets_fetch_the_secret_of_a_variable(chart: Chart, optional: bool) -> None:
    """By itself if the pods wait for it; an optional one where the values say so."""
    reference = {**SECRET["valueFrom"]["secretKeyRef"], "optional": optional}
    env = {"mlflow": {"env": {"A": {"valueFrom": {"secretKeyRef": reference}}}}}
    store: Json = {"enabled": True, "secretStoreRef": {"name": "vault"}}
    given = {**postgres(), **env}
    names = chart.render({**given, "externalSecrets": store}).names()
    assert ("ExternalSecret/tokens" in names) is not optional
    assert ("tokens: wandb" in chart.notes(given)) is not optional
    names = chart.render({**given, "externalSecrets": {**store, "secrets": {"tokens": {}}}}).names()
    assert "ExternalSecret/tokens" in names
