"""`auth.mode: oidc` on real parts: people of an LDAP directory log in by dex, through Traefik with TLS."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import yaml
from cli.cli import Cli
from cryptography.hazmat.primitives.asymmetric import rsa
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflowops.paths import REPO
from runtime.oidc import people
from runtime.oidc.provider import PASSWORD

from e2e.browser import Browser, browser
from e2e.directory import HOST as PROVIDER
from e2e.directory import Directory
from e2e.exposure import example
from e2e.helm import MLFLOW_VERSION, Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.platform import Platform
from e2e.stores import Database, shared_stores
from e2e.up import load_image

HOST = "identity.example.com"
ANNA, BERT, DORA, OLGA = (f"{name}@example.com" for name in ("anna", "bert", "dora", "olga"))
GROUPS = {"blue": [ANNA, DORA, OLGA], "red": [BERT, OLGA], "operators": [OLGA]}
JOBS = "identity-jobs"
JOB = REPO / "examples/service-accounts/job.yaml"
EXPERIMENTS = ("blue-churn", "red-fraud")
PLUGIN_IMAGE = {"registry": "localhost", "repository": "mlflow-oidc", "tag": MLFLOW_VERSION}


@dataclass
class Site:
    """MLflow, who may log in there, and how to reach it."""

    kube: Kube
    namespace: str
    platform: Platform
    directory: Directory
    url: str = f"https://{HOST}"

    def session(self) -> requests.Session:
        """Somebody with a browser's cookies and no session yet. It needs `platform.hosts`."""
        session = people.browser()
        session.verify = self.platform.ca
        return session

    def log_in(self, name: str) -> tuple[requests.Session, requests.Response]:
        """Somebody who has sent the provider's form, and the page where that led to."""
        session = self.session()
        return session, people.log_in(session, self, name)


@pytest.fixture(scope="module")
def site(
    kube: Kube, helm: Helm, kubeconfig: Path, platform: Platform, shared_namespace: str
) -> Iterator[Site]:
    provider = f"{shared_namespace}-provider"
    for name in (provider, JOBS):
        kube.create_namespace(name)
    for what in ("mlflow-oidc openldap", "--group login"):
        load_image(what, kubeconfig)
    directory = Directory(kube, platform, provider, GROUPS).start(HOST)
    database = Database.create(kube, shared_namespace)
    values = {**shared_stores(kube, shared_namespace, database), **settings(platform)}
    values["backendStore"]["postgres"] |= {"poolSize": 10, "maxOverflow": 40}
    kube.secret(shared_namespace, "mlflow-oidc-secret", {"client-secret": directory.client_secret})
    kube.secret(shared_namespace, "mlflow-oidc-ca", {"ca.crt": Path(platform.ca).read_text()})
    helm.install(shared_namespace, values, wait="300s")
    site = Site(kube, shared_namespace, platform, directory)
    platform.served(f"{site.url}/health")
    with platform.hosts(HOST, PROVIDER):
        yield site
    for name in (provider, JOBS):
        remove(kube, name)


def settings(platform: Platform) -> dict[str, Any]:
    """The values of docs/identity.md, and how pods find the provider of this cluster."""
    grants = [
        {"name": "blue", "pattern": "blue-", "permission": "MANAGE"},
        {"name": "red", "pattern": "red-", "permission": "MANAGE"},
        {"name": f"k8s:{JOBS}", "pattern": "jobs-", "permission": "MANAGE"},
    ]
    oidc = {
        "issuer": f"https://{PROVIDER}",
        "clientId": "mlflow",
        "caFromSecret": {"enabled": True},
        "allowedGroups": ["blue", "red"],
        "adminGroups": ["operators"],
        "groups": grants,
        "serviceAccounts": {"namespaces": [JOBS]},
    }
    traefik, jobs = (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in ("traefik", JOBS)
    )
    policy = {"ingress": [{"from": [jobs]}], "egress": [{"to": [traefik]}]}
    return {
        **example("traefik", HOST),
        "image": PLUGIN_IMAGE,
        "replicaCount": 2,
        "mlflow": {"launcher": "upstream"},
        "auth": {"mode": "oidc", "oidc": oidc},
        "hostAliases": [{"ip": platform.cluster_address, "hostnames": [PROVIDER]}],
        "networkPolicy": {"enabled": True, **policy},
    }


@pytest.fixture(scope="module")
def olga(site: Site) -> requests.Session:
    """An administrator, who has made an experiment for each team."""
    session, page = site.log_in(OLGA)
    assert "<title>MLflow</title>" in page.text, (page.url, page.text)
    for name in EXPERIMENTS:
        answer = people.call(session, site, "POST", "experiments/create", json={"name": name})
        assert answer.ok, answer.text
    return session


def found(session: requests.Session, site: Site) -> set[str]:
    """The experiments that a user sees."""
    answer = people.call(session, site, "POST", "experiments/search", json={"max_results": 100})
    assert answer.ok, answer.text
    return {each["name"] for each in answer.json().get("experiments", [])}


def sees(window: Browser, mine: str, other: str) -> None:
    window.open(f"https://{HOST}/#/experiments")
    window.see(mine)
    assert other not in window.driver.page_source


def test_a_browser_logs_in_comes_back_to_other_pods_and_logs_out(site: Site, olga: requests.Session) -> None:
    """Chromium, which each time sees the experiments of its team and not the other's."""
    with browser(site.platform.address, HOST, PROVIDER) as window:
        window.open(f"{site.url}/")
        window.fill(login=ANNA, password=PASSWORD)
        sees(window, *EXPERIMENTS)
        old = {pod.metadata.name for pod in site.kube.pods(site.namespace)}
        site.kube.core.delete_collection_namespaced_pod(site.namespace, label_selector="app=mlflow")
        eventually(
            lambda: not old & {pod.metadata.name for pod in site.kube.pods(site.namespace)},
            60,
            "old pods gone",
        )
        site.kube.wait_ready(site.namespace, 2)
        site.platform.served(f"{site.url}/health")
        window.open("about:blank")
        sees(window, *EXPERIMENTS)
        cookies = window.cookies()
        window.open(f"{site.url}/logout")
        window.open(f"{site.url}/")
        window.fill(login=BERT, password=PASSWORD)
        sees(window, *reversed(EXPERIMENTS))
    stolen = site.session()
    stolen.cookies.update(cookies)
    assert people.call(stolen, site, "GET", "users/current").status_code == 401


def test_a_wrong_password_opens_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PASSWORD", "wrong")
    session, page = site.log_in(ANNA)
    assert page.url.startswith(f"https://{PROVIDER}/") and "Invalid" in page.text, page.text
    assert people.call(session, site, "GET", "users/current").status_code == 401


def test_programs_log_in_with_a_personal_token(
    site: Site, olga: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client: with a token, with one that expired, and with one that was revoked."""
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", site.platform.ca)
    anna, _ = site.log_in(ANNA)
    made = people.make_token(anna, site, "sdk", timedelta(days=1))
    mlflow = people.client(monkeypatch, site, ANNA, made["token"])
    experiment = mlflow.get_experiment_by_name("blue-churn")
    assert experiment
    run_id = mlflow.create_run(experiment.experiment_id).info.run_id
    mlflow.log_metric(run_id, "accuracy", 0.5)
    mlflow.log_text(run_id, "text", "note.txt")
    assert mlflow.get_run(run_id).data.metrics == {"accuracy": 0.5}
    with pytest.raises(MlflowException, match=r"PERMISSION_DENIED|Permission denied|403"):
        mlflow.get_experiment_by_name("red-fraud")
    assert people.call(anna, site, "DELETE", f"users/current/tokens/{made['id']}").ok
    refused(mlflow, run_id)
    short = people.make_token(anna, site, "short", timedelta(seconds=5))
    mlflow = people.client(monkeypatch, site, ANNA, short["token"])
    assert mlflow.get_run(run_id).data.metrics == {"accuracy": 0.5}
    time.sleep(5)
    refused(mlflow, run_id)


def refused(mlflow: MlflowClient, run_id: str) -> None:
    with pytest.raises(MlflowException, match=r"401|Authentication required"):
        mlflow.get_run(run_id)


def test_a_token_for_programs_is_written_to_a_secret(
    site: Site, kubeconfig: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mlflowops token`, which a pod then has by `envFrom`; a second one takes the place of the first."""
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", site.platform.ca)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", site.url)
    site.log_in(ANNA)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", site.directory.token(ANNA))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    for name in ("first", "second"):
        words = ("create", name, "--secret", "mlflow-token", "--namespace", JOBS)
        answer = Cli(capsys, monkeypatch)("token", *words)
        assert answer.out == f"Secret {JOBS}/mlflow-token: written\n", answer.err
        secret = site.kube.read_secret(JOBS, "mlflow-token")
        assert secret["MLFLOW_TRACKING_PASSWORD"] not in answer.err
        found = "import mlflow; print('seen', *[e.name for e in mlflow.search_experiments()])"
        env = {**secret, "MLFLOW_TRACKING_URI": f"http://mlflow.{site.namespace}.svc"}
        log = site.kube.run(JOBS, name, ["python", "-c", found], env)
        assert "blue-churn" in log and "red-fraud" not in log, log


def test_a_job_logs_a_run_as_its_service_account(site: Site, olga: requests.Session) -> None:
    """The Job of the examples, as far as it does not depend on the site."""
    text = JOB.read_text().replace(".ml.svc.", f".{site.namespace}.svc.")
    account, job = yaml.safe_load_all(text)
    container = job["spec"]["template"]["spec"]["containers"][0]
    container |= {"image": "localhost/client:3.17.2", "imagePullPolicy": "Never"}
    site.platform.apply_text(JOBS, yaml.safe_dump_all([account, job]))
    site.kube.end_of_job(JOBS, "train")
    assert "jobs-nightly" in found(olga, site)


def test_tokens_of_other_audiences_namespaces_and_issuers_are_refused(site: Site) -> None:
    def asked(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return people.call(site.session(), site, "GET", "users/current", headers=headers).status_code

    right = service_account_token(site.kube, JOBS, "mlflow")
    assert asked(right) == 200
    claims = jwt.decode(right, options={"verify_signature": False})
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = {"kid": jwt.get_unverified_header(right)["kid"]}
    refused = {
        "another audience": service_account_token(site.kube, JOBS, "vault"),
        "the API server's audience": service_account_token(site.kube, JOBS),
        "another namespace": service_account_token(site.kube, site.namespace, "mlflow"),
        "another key": jwt.encode(claims, key, "RS256", kid),
        "another issuer": jwt.encode({**claims, "iss": f"https://{PROVIDER}"}, key, "RS256", kid),
        "an unknown issuer": jwt.encode({**claims, "iss": "https://example.org"}, key, "RS256", kid),
    }
    assert {what: asked(token) for what, token in refused.items()} == dict.fromkeys(refused, 401)


def service_account_token(kube: Kube, namespace: str, *audiences: str) -> str:
    """A token of the service account `default`, as Kubernetes would mount it."""
    body = {"spec": {"audiences": list(audiences), "expirationSeconds": 600}}
    made = kube.core.create_namespaced_service_account_token("default", namespace, body)
    return str(made.status.token)


def test_a_removed_group_takes_effect_within_the_lifetime_of_a_token(
    site: Site, olga: requests.Session
) -> None:
    """Last, for it restarts the provider. The plugin ends a session 30 s before the provider's token."""
    lifetime = 45
    site.directory.tokens_last(lifetime, HOST)
    dora, _ = site.log_in(DORA)
    since = time.monotonic()
    assert "blue-churn" in found(dora, site)
    site.directory.leave(DORA, "blue")

    def ended() -> bool:
        return people.call(dora, site, "GET", "users/current").status_code == 401

    eventually(ended, lifetime, "the end of the session")
    assert time.monotonic() - since < lifetime
    again, page = site.log_in(DORA)
    assert "not%20allowed" in page.url or "not+allowed" in page.url, page.url
    assert people.call(again, site, "GET", "users/current").status_code == 401
