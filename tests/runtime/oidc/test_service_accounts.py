"""Service accounts of a cluster log in with tokens that the cluster signed; people log in as before."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from runtime.oidc.conftest import Site, migrate
from runtime.oidc.people import browser, call, log_in
from runtime.oidc.plugin import GROUPS
from runtime.oidc.provider import CLIENT
from runtime.server import Server

ISSUER, AUDIENCE, KEY_ID = "https://kubernetes.default.svc.cluster.local", "mlflow", "of the cluster"
NAME = "trainer.jobs@serviceaccount.cluster.local"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One more server of the site, which knows a cluster too; the namespace `jobs` may manage `jobs-`."""
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    people = {
        "id": "default",
        "type": "oidc",
        "audience": CLIENT,
        "client_id": CLIENT,
        "issuer": site.provider.issuer,
        "discovery_url": f"{site.provider.issuer}/.well-known/openid-configuration",
    }
    cluster = {
        "id": "cluster",
        "type": "k8s",
        "audience": AUDIENCE,
        "issuer": ISSUER,
        "jwks_inline": {"keys": [{**key, "kid": KEY_ID, "alg": "RS256"}]},
        "namespace_allowlist": ["jobs"],
    }
    grants = [*GROUPS, {"name": "k8s:jobs", "pattern": "jobs-", "permission": "MANAGE"}]
    more = {"AUTH_PROVIDERS": json.dumps([people, cluster])}
    more["MLFLOW_KUBERNETES_OIDC_GROUPS"] = json.dumps(grants)
    folder = tmp_path_factory.mktemp("accounts")
    env = {**site.other.env, **more}
    migrate(folder, env)
    server = Server(folder, env)
    yield server.start().ready()
    server.kill()
    migrate(folder, site.other.env)


def token(
    key: rsa.RSAPrivateKey = KEY,
    account: str = "jobs:trainer",
    begins: float = 0,
    ends: float = 600,
    **claims: Any,
) -> str:
    """A token as a pod has it mounted; `begins` and `ends` are seconds from now, `claims` replace its own."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": [AUDIENCE], "sub": f"system:serviceaccount:{account}", "iat": now}
    said = {**usual, "nbf": now + begins, "exp": now + ends, **claims}
    return jwt.encode({k: v for k, v in said.items() if v is not None}, key, "RS256", {"kid": KEY_ID})


def ask(server: Server, bearer: str, method: str = "GET", path: str = "users/current", **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {bearer}"}
    return call(browser(), server, method, path, headers=headers, **body)


def test_a_service_account_logs_in_and_has_the_grants_of_its_namespace(server: Server) -> None:
    answer = ask(server, token())
    assert answer.ok and answer.json()["username"] == NAME, answer.text
    assert not answer.json()["is_admin"]
    made = ask(server, token(), "POST", "experiments/create", json={"name": f"jobs-{server.port}"})
    assert made.ok, made.text
    run = {"experiment_id": made.json()["experiment_id"]}
    assert ask(server, token(), "POST", "runs/create", json=run).ok


def test_a_service_account_sees_nothing_that_was_not_granted(site: Site, server: Server) -> None:
    anna = browser()
    log_in(anna, site.server, "anna@example.com")
    name = f"blue-hidden-{server.port}"
    made = call(anna, site.server, "POST", "experiments/create", json={"name": name})
    assert made.ok, made.text
    answer = ask(server, token(), path=f"experiments/get?experiment_id={made.json()['experiment_id']}")
    assert answer.status_code == 403, answer.text


REFUSED: dict[str, dict[str, Any]] = {
    "another audience": {"aud": ["https://kubernetes.default.svc.cluster.local"]},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://kubernetes.default.svc"},
    "no issuer": {"iss": None},
    "expired": {"ends": -60},
    "no end": {"exp": None},
    "not yet valid": {"begins": 600},
    "another namespace": {"account": "others:trainer"},
    "one part too many": {"account": "jobs:trainer:more"},
    "a person": {"sub": "anna@example.com"},
    "another key": {"key": OTHER_KEY},
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_another_token_is_refused(server: Server, wrong: dict[str, Any]) -> None:
    assert ask(server, token()).ok
    assert ask(server, token(**wrong)).status_code == 401


def test_a_token_without_a_signature_is_refused(server: Server) -> None:
    head, claims, _ = token().split(".")
    unsigned = jwt.encode({}, None, "none").split(".")[0]
    for forged in (f"{unsigned}.{claims}.", f"{head}.{claims}.", f"{head}.{claims}.AAAA"):
        assert ask(server, forged).status_code == 401


def test_people_log_in_beside_them(site: Site, server: Server) -> None:
    """By a token of the provider, and by a session that another pod has begun."""
    anna = browser()
    log_in(anna, site.server, "anna@example.com")
    assert call(anna, server, "GET", "users/current").json()["username"] == "anna@example.com"
    answer = ask(server, site.provider.token("anna@example.com"))
    assert answer.ok and answer.json()["username"] == "anna@example.com", answer.text


def test_a_service_account_makes_no_personal_token(server: Server) -> None:
    """It would outlive the mounted one."""
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    body = {"name": "kept", "expiration": tomorrow.isoformat()}
    answer = ask(server, token(), "POST", "users/current/tokens", json=body)
    assert answer.status_code == 403, answer.text
