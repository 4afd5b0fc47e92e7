"""Login at an OpenID provider: what the plugin gets, who gets the secret, and what the policy lets out."""

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
    grants = ["EDIT,Data Science,churn-.*", "READ,auditors,.*"]
    assert env["MLFLOW_KUBERNETES_OIDC_GROUPS"].splitlines() == grants


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
