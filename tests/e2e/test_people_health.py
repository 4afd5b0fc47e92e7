"""The health check on a release that has all that production has: each part well, then broken."""

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cli.certificates import self_signed
from cli.cli import Cli
from kubernetes import client

from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.platform import Platform
from e2e.reader import as_reader
from e2e.stores import Database, shared_stores

HOST = "health.example.com"
PARTS = [
    "ingress",
    "certificate",
    "external secrets",
    "metrics",
    "stores",
    "connections",
    "logging",
    "backup",
]
Checks = dict[str, dict[str, str]]
Health = Callable[..., Checks]


@pytest.fixture(scope="module")
def release(platform: Platform, kube: Kube, helm: Helm, shared_namespace: str) -> str:
    """MLflow on PostgreSQL and S3, behind Traefik, its password from a store; yields its namespace."""
    database = Database.create(kube, shared_namespace)
    values = shared_stores(kube, shared_namespace, database, secret=False)
    kube.secret(shared_namespace, "source", {"password": database.password})
    platform.apply(shared_namespace, "kubernetes-store")
    platform.apply(shared_namespace, "mlflow-external-secret", key="source")
    platform.apply(shared_namespace, "mlflow-ingress", host=HOST, class_name="traefik", port="80")
    mlflow = {"allowedHosts": [HOST], "workers": 1}
    helm.install(shared_namespace, {**values, "mlflow": mlflow, "metrics": {"storeIntervalSeconds": 5}})
    client.BatchV1Api(kube.api).create_namespaced_cron_job(shared_namespace, cronjob())
    backed_up(kube, shared_namespace, hours=20)
    platform.served(f"https://{HOST}/health")
    return shared_namespace


@pytest.fixture
def health(
    platform: Platform, release: str, kubeconfig: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> Health:
    """Runs the check in this process, where HOST is Traefik's, as DNS makes it for all clients."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", platform.ca)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

    def check(*hosts: str) -> Checks:
        with platform.hosts(*(hosts or [HOST])):
            answer = Cli(capsys, monkeypatch)("health", "--namespace", release, "--output", "json")
        found = {each["name"]: each for each in answer.data["checks"]}
        assert answer.code == int("red" in {each["status"] for each in found.values()})
        assert all(bool(each["fix"]) is (each["status"] != "ok") for each in found.values())
        return found

    return check


def cronjob() -> dict[str, Any]:
    """What the chart's backup looks like to who watches it."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "backup", "image": "none"}]}
    template = {"spec": {"template": {"spec": pod}}}
    return {"metadata": {"name": "mlflow-backup"}, "spec": {"schedule": "0 0 1 1 *", "jobTemplate": template}}


def backed_up(kube: Kube, namespace: str, **ago: float) -> None:
    when = (datetime.now(UTC) - timedelta(**ago)).isoformat()
    status = {"status": {"lastScheduleTime": when, "lastSuccessfulTime": when}}
    client.BatchV1Api(kube.api).patch_namespaced_cron_job_status("mlflow-backup", namespace, status)


def states(checks: Checks) -> dict[str, str]:
    """Of the parts; a database that answers slowly is well here, where tests share two cores."""
    slow = ("stores", "warn")
    found = {name: check["status"] for name, check in checks.items() if name in PARTS}
    return {name: "ok" if (name, status) == slow else status for name, status in found.items()}


def test_everything_is_well(health: Health) -> None:
    checks = health()
    assert states(checks) == dict.fromkeys(PARTS, "ok"), checks
    assert checks["ingress"]["detail"] == f"https://{HOST} answers 200"
    assert checks["certificate"]["detail"].startswith("mlflow-tls lasts until 20")
    assert checks["external secrets"]["detail"].startswith("1 synced, the oldest at 20")
    assert checks["metrics"]["detail"] == "2 exporters answer"
    assert "the artifact store answered" in checks["stores"]["detail"]
    assert " in use; with every pool full " in checks["connections"]["detail"]
    assert checks["logging"]["detail"].startswith("100.00 % of ")
    assert checks["backup"]["detail"] == "the last one is 20.0 hours old, schedule 0 0 1 1 *"


def test_a_reader_sees_all_of_it(
    health: Health, release: str, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(as_reader(release, kubeconfig, tmp_path)))
    assert states(health()) == dict.fromkeys(PARTS, "ok")


def test_without_a_rule_its_lines_say_so(
    health: Health,
    kube: Kube,
    release: str,
    kubeconfig: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(as_reader(release, kubeconfig, tmp_path)))
    roles = client.RbacAuthorizationV1Api(kube.api)
    role = kube.api.sanitize_for_serialization(roles.read_namespaced_role("mlflow-health", release))
    kept = [rule for rule in role["rules"] if rule["resources"] not in (["secrets"], ["cronjobs"])]
    roles.replace_namespaced_role("mlflow-health", release, {**role, "rules": kept})
    unknown = {"certificate": "unknown", "backup": "unknown"}
    assert states(health()) == {**dict.fromkeys(PARTS, "ok"), **unknown}
    assert "examples/health/reader.yaml" in health()["backup"]["fix"]


def test_a_host_without_dns_is_not_blamed_on_the_server(health: Health) -> None:
    ingress = health("other.example.com")["ingress"]
    assert ingress["status"] == "unknown"
    assert "ingress/mlflow is served at traefik.traefik.svc.cluster.local" in ingress["detail"]
    assert "make a DNS record" in ingress["fix"]


def test_an_ingress_that_nobody_takes(health: Health, platform: Platform, release: str) -> None:
    with changed_ingress(platform, release, class_name="nobody"):
        found = eventually(lambda: red(health(), "ingress"), 30, "Traefik without that host")
        assert "a certificate that this machine does not trust" in found["detail"]


def test_an_ingress_to_another_port(health: Health, platform: Platform, release: str) -> None:
    with changed_ingress(platform, release, port="81"):
        ingress = health()["ingress"]
    assert ingress["status"] == "red"
    assert ingress["detail"] == "ingress/mlflow leads to port 81, which service/mlflow does not have"
    assert ingress["fix"] == "name one of 5000, 80, http, mlflow"


def changed_ingress(platform: Platform, namespace: str, **words: str) -> AbstractContextManager[None]:
    usual = {"host": HOST, "class_name": "traefik", "port": "80"}
    put = partial(platform.apply, namespace, "mlflow-ingress")

    @contextmanager
    def changed() -> Iterator[None]:
        put(**{**usual, **words})
        yield
        put(**usual)
        platform.served(f"https://{HOST}/health")

    return changed()


@pytest.mark.parametrize(
    ("days", "name", "status", "words"),
    [
        (90, HOST, "ok", "lasts until"),
        (20, HOST, "warn", "19 days"),
        (-1, HOST, "red", "expired on"),
        (90, "other.example.com", "red", f"is for other.example.com, not for {HOST}"),
    ],
)
def test_a_certificate(
    health: Health, kube: Kube, release: str, days: int, name: str, status: str, words: str
) -> None:
    """On a cluster without cert-manager, which would repair it."""
    ingresses = client.NetworkingV1Api(kube.api)
    tls = [{"hosts": [HOST], "secretName": "by-hand"}]
    pem = base64.b64encode(self_signed(name, days)).decode()
    patch = {"metadata": {"annotations": {"cert-manager.io/cluster-issuer": None}}, "spec": {"tls": tls}}
    ingresses.patch_namespaced_ingress("mlflow", release, patch)
    secret = {"metadata": {"name": "by-hand"}, "data": {"tls.crt": pem}}
    kube.core.create_namespaced_secret(release, secret)
    try:
        certificate = health()["certificate"]
    finally:
        kube.core.delete_namespaced_secret("by-hand", release)
    assert certificate["status"] == status
    assert words in certificate["detail"]


def test_a_certificate_that_nobody_made(health: Health, kube: Kube, release: str) -> None:
    tls = [{"hosts": [HOST], "secretName": "never-made"}]
    client.NetworkingV1Api(kube.api).patch_namespaced_ingress("mlflow", release, {"spec": {"tls": tls}})
    certificate = health()["certificate"]
    assert (certificate["status"], certificate["detail"]) == ("red", "Secret never-made does not exist")


def test_a_secret_that_does_not_arrive(health: Health, platform: Platform, release: str) -> None:
    platform.apply(release, "mlflow-external-secret", key="nothing")
    found = eventually(lambda: red(health(), "external secrets"), 60, "the failed sync")
    assert found["detail"].startswith("mlflow-postgres is not synced: ")
    assert f"mlflowops external-secrets --namespace {release}" in found["fix"]
    platform.apply(release, "mlflow-external-secret", key="source")


def test_an_old_backup(health: Health, kube: Kube, release: str) -> None:
    backed_up(kube, release, days=9)
    backup = health()["backup"]
    assert (backup["status"], backup["detail"][:25]) == ("red", "the last one is 9 days ol")


def test_a_store_that_is_down(health: Health, kube: Kube, release: str) -> None:
    """The exporter alone loses its database: its line is red, the server's is not."""
    wrong = {"name": "exporter", "env": [{"name": "PGHOST", "value": "nowhere.invalid"}]}
    patch = {"spec": {"template": {"spec": {"containers": [wrong]}}}}
    kube.apps.patch_namespaced_deployment("mlflow-exporter", release, patch)
    found = eventually(lambda: red(health(), "stores"), 60, "the failed look")
    assert "the database did not answer" in found["detail"]
    assert health()["database"]["status"] == "ok"


def test_without_exporters_there_is_no_word_of_them(health: Health, kube: Kube, release: str) -> None:
    kube.apps.patch_namespaced_deployment_scale("mlflow-exporter", release, {"spec": {"replicas": 0}})
    eventually(lambda: "1 exporters answer" in health()["metrics"]["detail"], 30, "one exporter less")
    checks = health()
    assert "connections" not in checks
    assert checks["stores"]["status"] == "unknown"


def red(checks: Checks, name: str) -> dict[str, str] | None:
    return checks[name] if checks[name]["status"] == "red" else None
