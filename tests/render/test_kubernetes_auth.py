"""Permissions by the RBAC of the cluster: what the plugin gets, what the server may do, who reaches it."""

from typing import Any

import pytest

from render.chart import GATEWAY, KEYS, MLFLOW, Chart, Json, kubernetes_auth, user_header

CASE = MLFLOW.folder / "ci/kubernetes-auth-values.yaml"
NAME = "ml:mlflow"
LIST = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]}
REVIEW = {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]}


def values(**more: Any) -> Json:
    return {**KEYS, **kubernetes_auth(**more)}


def test_the_plugin_gets_its_settings(chart: Chart) -> None:
    assert (
        chart.render(CASE).env().items()
        >= {
            "MLFLOW_ENABLE_WORKSPACES": "true",
            "MLFLOW_K8S_AUTH_AUTHORIZATION_MODE": "self_subject_access_review",
            "MLFLOW_K8S_AUTH_CACHE_TTL_SECONDS": "10",
            "MLFLOW_K8S_DEFAULT_WORKSPACE": "shared",
            "MLFLOW_K8S_NAMESPACE_EXCLUDE_GLOBS": "ci-*,scratch",
            "MLFLOW_K8S_WORKSPACE_LABEL_SELECTOR": "mlflow=true",
            "MLFLOW_KUBERNETES_APP_NAME": "kubernetes-auth",
        }.items()
    )


def test_the_cache_keeps_answers_for_half_a_minute(chart: Chart) -> None:
    assert chart.render(values()).env()["MLFLOW_K8S_AUTH_CACHE_TTL_SECONDS"] == "30"


@pytest.mark.parametrize("given", [values(), {**KEYS, **user_header()}], ids=["tokens", "header"])
def test_groups_come_from_no_header(chart: Chart, given: Json) -> None:
    """The gate drops each header whose name has another character than letters, digits and hyphens."""
    assert "." in chart.render(given).env()["MLFLOW_K8S_AUTH_REMOTE_GROUPS_HEADER"]


def test_the_server_lists_namespaces_and_no_more(chart: Chart) -> None:
    manifest = chart.render(CASE)
    assert manifest.one("ClusterRole", NAME)["rules"] == [LIST]
    binding = manifest.one("ClusterRoleBinding", NAME)
    assert binding["roleRef"]["name"] == manifest.one("ClusterRole", NAME)["metadata"]["name"] == NAME
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "mlflow", "namespace": "ml"}]


def test_with_a_header_it_asks_about_others_too(chart: Chart) -> None:
    manifest = chart.render({**KEYS, **user_header()})
    assert manifest.one("ClusterRole", NAME)["rules"] == [LIST, REVIEW]
    env = manifest.env()
    assert env["MLFLOW_K8S_AUTH_AUTHORIZATION_MODE"] == "subject_access_review"
    assert env["MLFLOW_K8S_AUTH_REMOTE_USER_HEADER"] == "kubeflow-userid"


def test_other_modes_and_other_roles_have_none(chart: Chart) -> None:
    for given in ({}, values(createRbac=False)):
        kinds = {item["kind"] for item in chart.render(given).objects}
        assert not kinds & {"ClusterRole", "ClusterRoleBinding"}


def test_only_the_server_container_has_a_token(chart: Chart) -> None:
    manifest = chart.render({**values(), "retention": {"enabled": True}})
    mounts = {
        name: [each["name"] for each in manifest.container(name)["volumeMounts"]]
        for name in ("mlflow", "schema", "metrics")
    }
    assert [name for name, found in mounts.items() if "api-server" in found] == ["mlflow"]
    for item in manifest.objects:
        if item["kind"] in ("CronJob", "Deployment", "Pod") and item["metadata"]["name"] != "mlflow":
            assert "serviceAccountToken" not in str(item), item["metadata"]["name"]


def test_the_policy_lets_the_server_reach_the_api_server(chart: Chart) -> None:
    rules = chart.render(CASE).one("NetworkPolicy")["spec"]["egress"]
    (to,) = [rule["to"] for rule in rules if [port["port"] for port in rule.get("ports", [])] == [443, 6443]]
    assert to == [{"ipBlock": {"cidr": "192.0.2.20/32"}}]


def test_only_the_gateway_reaches_a_server_that_believes_a_header(chart: Chart) -> None:
    """Beside it the pods of the release, and Prometheus, which reaches the port of the metrics."""
    given = {**KEYS, **user_header(), "metrics": {"enabled": True}}
    rules = chart.render(given).one("NetworkPolicy")["spec"]["ingress"]
    release = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": "mlflow"}
    assert rules[0] == {"from": [{"podSelector": {"matchLabels": release}}]}
    open_to = [rule["from"] for rule in rules[1:] if 5000 in [port["port"] for port in rule["ports"]]]
    assert open_to == [[GATEWAY]]
