"""Login at an OpenID provider: what the plugin gets, who gets the secret, and what the policy lets out."""

import json
from copy import deepcopy

import yaml

from render.chart import MLFLOW, Chart, Json
from render.test_auth import secrets

CASE = MLFLOW.folder / "ci/oidc-values.yaml"
KEY = "MLFLOW_FLASK_SERVER_SECRET_KEY"


def values(**oidc: object) -> Json:
    found: Json = deepcopy(yaml.safe_load(CASE.read_text()))
    found["auth"]["oidc"] |= oidc
    return found


def test_the_plugin_gets_its_settings(chart: Chart) -> None:
    env = chart.render(CASE).env()
    assert (
        env.items()
        >= {
            "DEFAULT_MLFLOW_PERMISSION": "READ",
            "MLFLOW_KUBERNETES_APP_NAME": "oidc-auth",
            "OIDC_ADMIN_GROUP_NAME": "ml-operators",
            "OIDC_AUDIENCE": "ml-platform",
            "OIDC_CLIENT_ID": "ml-platform",
            "OIDC_DISCOVERY_URL": "https://id.example.com:8443/realms/main/.well-known/openid-configuration",
            "OIDC_GROUPS_ATTRIBUTE": "roles",
            "OIDC_GROUP_NAME": "Data Science",
            "OIDC_ISSUER": "https://id.example.com:8443/realms/main",
            "OIDC_REDIRECT_URI": "https://ml.example.com/callback",
            "OIDC_SCOPE": "openid email",
            "SESSION_COOKIE_MAX_AGE_SECONDS": "28800",
            "SESSION_COOKIE_SECURE": "true",
        }.items()
    )
    assert json.loads(env["MLFLOW_KUBERNETES_OIDC_GROUPS"]) == [
        {"name": "Data Science", "pattern": "churn-.*", "permission": "EDIT"},
        {"name": "auditors", "pattern": ".*", "permission": "READ"},
        {"name": "k8s:airflow", "pattern": ".*", "permission": "EDIT"},
        {"name": "Data Science", "workspace": "research", "permission": "MANAGE"},
    ]
    assert env["MLFLOW_ENABLE_WORKSPACES"] == "true"


def test_only_the_server_gets_the_clients_secret(chart: Chart) -> None:
    manifest = chart.render(CASE)
    server = secrets(manifest.container())
    assert server["OIDC_CLIENT_SECRET"] == ("mlflow-login", "client") and KEY in server
    assert not secrets(manifest.container("schema")).keys() & {"OIDC_CLIENT_SECRET", KEY}


def test_the_authority_of_the_provider_is_mounted(chart: Chart) -> None:
    manifest = chart.render(CASE)
    assert manifest.env()["MLFLOW_KUBERNETES_OIDC_CA"] == "/etc/mlflow/oidc/ca.crt"
    mounts = {each["name"]: each["mountPath"] for each in manifest.container()["volumeMounts"]}
    assert mounts["oidc-ca"] == "/etc/mlflow/oidc"
    without = chart.render(values(caFromSecret={"enabled": False}))
    assert "MLFLOW_KUBERNETES_OIDC_CA" not in without.env()


def test_the_redirect_address_is_that_of_the_ingress(chart: Chart) -> None:
    given = values(redirectUri="")
    assert chart.render(given).env()["OIDC_REDIRECT_URI"] == "https://mlflow.example.com/callback"
    given["ingress"]["hosts"].insert(0, {"host": "*.example.com", "paths": [{"path": "/"}]})
    assert chart.render(given).env()["OIDC_REDIRECT_URI"] == "https://mlflow.example.com/callback"
    given |= {
        "ingress": {},
        "httpRoute": {"enabled": True, "hostnames": ["ml.example.org"], "parentRefs": [{"name": "web"}]},
    }
    assert chart.render(given).env()["OIDC_REDIRECT_URI"] == "https://ml.example.org/callback"


def test_a_login_through_a_port_forward_has_no_secure_cookie(chart: Chart) -> None:
    env = chart.render(values(redirectUri="http://localhost:5000/callback")).env()
    assert env["SESSION_COOKIE_SECURE"] == "false"


def test_the_policy_lets_pods_reach_the_provider(chart: Chart) -> None:
    def rule(given: Json) -> Json:
        rules = chart.render(given).one("NetworkPolicy")["spec"]["egress"]
        (found,) = [each for each in rules if 8443 in [port["port"] for port in each.get("ports", [])]]
        peers: Json = found["to"]
        return peers

    assert rule(values()) == [{"ipBlock": {"cidr": "192.0.2.10/32"}}]
    given = values(issuer="https://dex.login.svc:8443")
    given["networkPolicy"]["peers"]["issuer"] = []
    assert rule(given) == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "login"}}}]


def test_service_accounts_log_in_by_the_cluster(chart: Chart) -> None:
    """Its keys come from the API server, for which the server container alone has a token."""
    manifest = chart.render(CASE)
    people, cluster = json.loads(manifest.env()["AUTH_PROVIDERS"])
    assert people["issuer"] == "https://id.example.com:8443/realms/main" and people["id"] == "default"
    assert cluster == {
        "id": "cluster",
        "type": "k8s",
        "audience": "mlflow.example.com",
        "issuer": "https://kubernetes.default.svc",
        "namespace_allowlist": ["airflow"],
        "allowed_algorithms": ["RS256", "ES256"],
        "in_cluster": True,
        "jwks_uri": "https://kubernetes.default.svc/openid/v1/jwks",
    }
    mounts = {
        name: [each["name"] for each in manifest.container(name)["volumeMounts"]]
        for name in ("mlflow", "schema", "metrics")
    }
    assert [name for name, found in mounts.items() if "api-server" in found] == ["mlflow"]
    rules = manifest.one("NetworkPolicy")["spec"]["egress"]
    (to,) = [rule["to"] for rule in rules if [port["port"] for port in rule.get("ports", [])] == [443, 6443]]
    assert to == [{"ipBlock": {"cidr": "192.0.2.20/32"}}]


def test_keys_of_a_public_issuer_need_no_token(chart: Chart) -> None:
    issuer = "https://oidc.example.com/id/A1"
    public = {"namespaces": ["airflow"], "issuer": issuer, "keysFrom": "issuer"}
    manifest = chart.render(values(serviceAccounts=public))
    _, cluster = json.loads(manifest.env()["AUTH_PROVIDERS"])
    assert cluster["discovery_url"] == f"{issuer}/.well-known/openid-configuration"
    assert not cluster.keys() & {"in_cluster", "jwks_uri"}
    assert "api-server" not in [each["name"] for each in manifest.container()["volumeMounts"]]


def test_without_namespaces_there_is_one_provider(chart: Chart) -> None:
    manifest = chart.render(values(serviceAccounts={}))
    assert "AUTH_PROVIDERS" not in manifest.env()
    assert "api-server" not in [each["name"] for each in manifest.container()["volumeMounts"]]
