"""oauth2-proxy as docs/identity.md has it: a provider that signs tokens, Traefik with TLS, a policy."""

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cli.cli import Cli
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from e2e.exposure import TRACK, example, reached
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.login import EMAIL, OAUTH2_PROXY, PROVIDER, Site, load_images, start_provider, start_proxy
from e2e.platform import SECONDS, Platform

HOST = "oidc.example.com"
URL = f"https://{HOST}"
DATA, PROVIDERS = "oidc-data", "oidc-provider"
SERVER = "mlflow.oidc.svc.cluster.local"
SEARCH = "2.0/mlflow/experiments/search"
PATHS = ["/", f"/api/{SEARCH}", f"/ajax-api/{SEARCH}", "/graphql", "/health", "/metrics", "/version"]
FORGED = {
    "nothing": {},
    "who": {"X-Forwarded-User": "anna", "X-Forwarded-Email": EMAIL, "X-Auth-Request-User": "anna"},
    "where": {"X-Forwarded-Uri": "/oauth2/sign_in", "X-Original-Url": f"{URL}/ping"},
    "session": {"Cookie": "_oauth2_proxy=djIuWDI5aGRYUm9NbDl3Y205NGVR.5rGVe5gMK2qRt3pCcnlBIw"},
}


@pytest.fixture(scope="module")
def site(kube: Kube, helm: Helm, kubeconfig: Path, platform: Platform, shared_namespace: str) -> Any:
    """The two examples, a provider, and a namespace whose programs may come in without a login."""
    for name in (DATA, PROVIDERS):
        kube.create_namespace(name)
    text = yaml.safe_dump(example("oidc", HOST)).replace(".ml.svc.", f".{shared_namespace}.svc.")
    helm.install(shared_namespace, yaml.safe_load(text.replace("airflow", DATA)), wait="")
    load_images(kubeconfig)
    site = Site(platform, HOST)
    start_provider(site, kube, PROVIDERS)
    start_proxy(site, kube, shared_namespace)
    for path in ("/", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/oauth2/auth"):
        platform.served(f"{URL}{path}", 120, headers=bearer(site))
    yield site
    for name in (DATA, PROVIDERS):
        remove(kube, name)


def status(site: Site, path: str, headers: dict[str, str], timeout: float = SECONDS) -> int:
    """Of a page, or of a question that MLflow would answer."""
    method, body = ("POST", {"max_results": 1}) if path.endswith(SEARCH) else ("GET", None)
    options = {"json": body, "headers": headers, "timeout": timeout}
    return site.platform.request(method, f"{URL}{path}", **options).status_code


def bearer(site: Site) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.token}"}


def cookies(session: requests.Session) -> str:
    """What a browser would send to MLflow's host."""
    own = [each for each in session.cookies if each.domain == HOST]
    return "; ".join(f"{each.name}={each.value}" for each in own)


def tampered(token: str) -> str:
    """The same signature under other claims."""
    head, claims, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = json.dumps({**said, "email": f"somebody-else-{EMAIL}"}).encode()
    return f"{head}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}.{signature}"


def test_people_log_in_and_are_back_where_they_were(site: Site) -> None:
    page = f"{URL}/?first=1&second=a%2Fb"
    with site.visitor() as session:
        back = site.log_in(session, page, site.password)
        assert (back.status_code, back.url) == (200, page)
        assert "<title>MLflow</title>" in back.text
        for path in (f"/ajax-api/{SEARCH}", f"/api/{SEARCH}"):
            found = session.post(f"{URL}{path}", json={"max_results": 1}, headers={"Origin": URL})
            assert found.json()["experiments"], found.text
        foreign = {"Origin": "https://evil.example.com", "Cookie": cookies(session)}
        assert status(site, f"/ajax-api/{SEARCH}", foreign) == 403


def test_a_wrong_password_opens_nothing(site: Site) -> None:
    with site.visitor() as session:
        refused = site.log_in(session, f"{URL}/", "wrong")
        assert "Invalid Email Address and password" in refused.text
        assert session.get(f"{URL}/").url.startswith(f"https://{PROVIDER}/")


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_without_a_session_nothing_is_answered(site: Site, forged: dict[str, str]) -> None:
    """People are sent to the login, programs are told; by http both are sent to https."""
    expected = {path: 401 if path.startswith("/api") else 302 for path in PATHS}
    assert {path: status(site, path, forged) for path in PATHS} == expected
    for path in PATHS:
        plain = site.platform.request("GET", f"http://{HOST}{path}", headers=forged)
        assert plain.is_redirect and plain.headers["location"].startswith(f"{URL}/"), path


def test_programs_in_the_cluster_need_no_login_if_they_are_named(
    kube: Kube, site: Site, shared_namespace: str
) -> None:
    """There is no way around it, not even beside the server."""
    kube.run(DATA, "tracks", ["python", "-c", TRACK], {"MLFLOW_TRACKING_URI": f"http://{SERVER}"})
    ways = [f"{SERVER}:80", f"{SERVER}:5000", f"oauth2-proxy.{shared_namespace}.svc:80"]
    reached(kube, shared_namespace, "stranger", ways, {"app": "client"}, ways[2:])


def test_programs_elsewhere_bring_a_token(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """MLflow's client, with a token that the provider signed; another one is refused with a sentence."""
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", site.platform.ca)
    with site.platform.hosts(HOST):
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", site.token)
        run_id = MlflowClient(URL).create_run("0").info.run_id
        MlflowClient(URL).log_metric(run_id, "accuracy", 0.875)
        MlflowClient(URL).log_text(run_id, "from outside", "note.txt")
        found = Path(MlflowClient(URL).download_artifacts(run_id, "note.txt", str(tmp_path)))
        assert found.read_text() == "from outside"
        for wrong in (tampered(site.token), ""):
            monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", wrong)
            with pytest.raises(MlflowException, match="401"):
                MlflowClient(URL).get_run(run_id)


def test_the_health_check_takes_a_login_for_a_good_answer(
    site: Site, shared_namespace: str, kubeconfig: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.platform.ca)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    with site.platform.hosts(HOST):
        answer = Cli(capsys, monkeypatch)("health", "--namespace", shared_namespace, "--output", "json")
    found = [each for each in answer.data["checks"] if each["name"] == "ingress"]
    assert [(each["status"], each["detail"]) for each in found] == [("ok", f"{URL} answers 302")] * 2


def test_without_oauth2_proxy_nobody_comes_in(kube: Kube, site: Site, shared_namespace: str) -> None:
    """Last, for it ends the login."""
    headers = bearer(site)
    scale = {"spec": {"replicas": 0}}
    kube.apps.patch_namespaced_deployment_scale("oauth2-proxy", shared_namespace, scale)
    eventually(lambda: not kube.pods(shared_namespace, OAUTH2_PROXY), 60, "the end of oauth2-proxy")
    for path in PATHS[:2]:
        eventually(lambda path=path: refused(site, path, headers), 60, f"5xx for {path}")  # type: ignore[misc]


def refused(site: Site, path: str, headers: dict[str, str]) -> bool:
    """Whether Traefik answers 5xx; False while it waits on a connection that it kept."""
    with contextlib.suppress(requests.ReadTimeout):
        code = status(site, path, headers, timeout=5)
        assert code >= 500, code
        return True
    return False
