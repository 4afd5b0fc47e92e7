"""Certificates and authorities are rotated while people track, by the steps of docs/secrets.md."""

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as kubernetes
from mlflowops.generated_secrets import random_key

from e2e.exposure import example
from e2e.faults.authority import Authority
from e2e.faults.conftest import VALUES, Change
from e2e.faults.people import Way
from e2e.faults.postgres import Postgres
from e2e.faults.release import Release
from e2e.faults.store_way import CERTIFICATE, NAME
from e2e.faults.tasks import BUSY
from e2e.kube import eventually
from e2e.platform import Platform

pytestmark = pytest.mark.nightly

HOST = "faults.example.com"
SECRET = "authorities"
# Where the chart mounts the database's authorities, and this suite those of the object store.
DATABASE, STORE = "/etc/mlflow/postgres/ca.crt", "/etc/store/ca.crt"
# The kubelet brings a changed Secret into a pod within a minute or two.
ARRIVAL = 120
Authorities = tuple[Authority, Authority]


@pytest.fixture
def authorities() -> Authorities:
    """The old one and the new one; their names differ from run to run."""
    return Authority(f"old {random_key()[:8]}"), Authority(f"new {random_key()[:8]}")


def trust(release: Release, file: str, *authorities: Authority) -> None:
    """Write the Secret, and wait until each server pod has it in its file."""
    bundle = "".join(each.certificate for each in authorities)
    release.kube.secret(release.namespace, SECRET, {"ca.crt": bundle})

    def arrived() -> bool:
        found = {
            release.kube.exec(release.namespace, pod, ["cat", file], "mlflow") for pod in release.names()
        }
        return {each.strip() for each in found} == {bundle.strip()}

    eventually(arrived, ARRIVAL, f"{len(authorities)} authorities in each pod")


@pytest.fixture
def database(release: Release, change: Change, authorities: Authorities) -> Iterator[Postgres]:
    """PostgreSQL with a certificate of the old authority, which the server checks."""
    postgres = Postgres(release.kube, release.namespace)
    postgres.take_certificate(authorities[0].sign("postgres"))
    release.kube.secret(release.namespace, SECRET, {"ca.crt": authorities[0].certificate})
    tls = {"sslMode": "verify-full", "sslRootCertFromSecret": {"enabled": True, "name": SECRET}}
    change(backendStore={"postgres": {**VALUES["backendStore"]["postgres"], **tls}})
    yield postgres
    change()
    postgres.without_tls()


@pytest.mark.parametrize("how", ["reloads", "restarts"])
def test_the_authority_of_the_database_is_rotated(
    release: Release, database: Postgres, authorities: Authorities, how: str
) -> None:
    """Both are trusted while PostgreSQL changes its certificate. Then all connections are made again."""
    old, new = authorities

    def happen() -> None:
        trust(release, DATABASE, old, new)
        database.take_certificate(new.sign("postgres"))
        if how == "restarts":
            database.restart()
        trust(release, DATABASE, new)
        database.cut(1)

    outcome = release.under_load(f"The authority of PostgreSQL is rotated, which {how}", happen)
    assert outcome.restarts == 0
    assert set(outcome.refused) <= {"503"}
    assert database.plain_connections() == 0


@pytest.fixture
def store(release: Release, change: Change, authorities: Authorities) -> Iterator[None]:
    """The object store with TLS and a certificate of the old authority, which the server checks."""
    core = release.kube.core
    release.kube.secret(release.namespace, CERTIFICATE, authorities[0].sign(NAME))
    _wait_for_certificate(release)
    release.kube.secret(release.namespace, SECRET, {"ca.crt": authorities[0].certificate})
    change(
        artifactStore={"s3": {**VALUES["artifactStore"]["s3"], "endpoint": f"https://{NAME}:8443"}},
        mlflow={**VALUES["mlflow"], "env": {"AWS_CA_BUNDLE": STORE}},
        extraVolumes=[{"name": "store", "secret": {"secretName": SECRET}}],
        extraVolumeMounts=[{"name": "store", "mountPath": str(Path(STORE).parent), "readOnly": True}],
    )
    yield
    change()
    core.delete_namespaced_secret(CERTIFICATE, release.namespace)


def _wait_for_certificate(release: Release) -> None:
    """Until the way to the store has the one of the Secret."""
    wanted = release.kube.read_secret(release.namespace, CERTIFICATE)["tls.crt"].strip()
    command = ["cat", "/certificate/tls.crt"]
    eventually(
        lambda: release.kube.exec(release.namespace, NAME, command).strip() == wanted, ARRIVAL, "certificate"
    )


def test_the_authority_of_the_object_store_is_rotated(
    release: Release, store: None, authorities: Authorities
) -> None:
    """Both are trusted while the store changes its certificate."""
    old, new = authorities

    def happen() -> None:
        trust(release, STORE, old, new)
        release.kube.secret(release.namespace, CERTIFICATE, new.sign(NAME))
        _wait_for_certificate(release)
        trust(release, STORE, new)

    outcome = release.under_load("The authority of the object store is rotated", happen)
    assert outcome.restarts == 0
    assert set(outcome.refused) <= BUSY


@pytest.fixture
def exposed(release: Release, change: Change, platform: Platform) -> Iterator[Release]:
    """The release, to people who come through Traefik with TLS, by a certificate of cert-manager."""
    change(**example("traefik", HOST))
    platform.served(f"https://{HOST}/health")
    way = Way(f"https://{HOST}", platform.cluster_address, Path(platform.ca).read_text())
    yield replace(release, way=way)
    with contextlib.suppress(kubernetes.ApiException):
        release.kube.core.delete_namespaced_secret("mlflow-tls", release.namespace)


def served_certificate(platform: Platform) -> str:
    """What Traefik shows to a new connection."""
    with platform.hosts(HOST):
        return ssl.get_server_certificate((HOST, 443), timeout=30)


def renew(release: Release) -> None:
    """What `cmctl renew mlflow-tls` does."""
    objects = kubernetes.CustomObjectsApi(release.kube.api)
    where = ("cert-manager.io", "v1", release.namespace, "certificates", "mlflow-tls")
    found: dict[str, Any] = objects.get_namespaced_custom_object(*where)
    conditions = [each for each in found["status"]["conditions"] if each["type"] != "Issuing"]
    conditions.append({
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "Certificate re-issuance manually triggered",
        "lastTransitionTime": found["metadata"]["creationTimestamp"],
        "observedGeneration": found["metadata"]["generation"],
    })  # fmt: skip
    found["status"]["conditions"] = conditions
    objects.replace_namespaced_custom_object_status(*where, found)


def test_the_certificate_of_the_ingress_is_renewed(exposed: Release, platform: Platform) -> None:
    """Twice. Connections go on, new ones get the new certificate."""

    def happen() -> None:
        for _ in range(2):
            before = served_certificate(platform)
            renew(exposed)
            eventually(lambda before=before: served_certificate(platform) != before, 60, "a new certificate")

    outcome = exposed.under_load("The certificate of the Ingress is renewed", happen)
    assert outcome.restarts == 0
    assert not outcome.refused
