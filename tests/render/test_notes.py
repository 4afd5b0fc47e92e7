"""What Helm prints after an install: the effective configuration, how to get in, what is risky."""

from collections.abc import Callable

import pytest

from render.chart import MLFLOW, MLFLOW_VERSION, Chart, Json, postgres, s3

OUTAGE = "each upgrade causes a short downtime"


def test_default(chart: Chart) -> None:
    notes = chart.notes()
    for line in (
        f"MLflow {MLFLOW_VERSION} is release mlflow in namespace ml.",
        "runs       SQLite on claim mlflow",
        "artifacts  /mlflow/artifacts on claim mlflow",
        "kubectl port-forward -n ml service/mlflow 5000:5000",
        "MLFLOW_TRACKING_URI=http://mlflow.ml.svc.cluster.local",
        "helm test mlflow -n ml",
    ):
        assert line in notes
    assert "Secrets" not in notes


def test_secrets_to_bring(chart: Chart) -> None:
    notes = chart.notes(MLFLOW.folder / "ci/verified-tls-values.yaml")
    for line in ("rds: tracker-password", "rds-ca: global-bundle.pem", "minio-user: user, secret"):
        assert f"  {line}\n" in notes
    assert (
        "PostgreSQL tracking at mlflow.abcdefghijkl.eu-central-1.rds.amazonaws.com:6432, TLS verify-full"
        in notes
    )


def test_mysql(chart: Chart) -> None:
    notes = chart.notes(MLFLOW.folder / "ci/mysql-values.yaml")
    assert "  runs       the database of the URI in Secret mlflow-mysql\n" in notes
    assert "  mlflow-mysql: backend-store-uri\n" in notes
    assert "back up the database yourself" in notes and "SQLite" not in notes


WIDE: Callable[..., Json] = lambda **more: {**postgres(), **s3(), **more}  # noqa: E731
INGRESS: Callable[..., Json] = lambda **more: {  # noqa: E731
    "ingress": {"enabled": True, "hosts": [{"host": "a.example.com", "paths": [{"path": "/"}]}], **more}
}
POLICY: Callable[..., Json] = lambda **more: {"networkPolicy": {"enabled": True, **more}}  # noqa: E731
RISKS: dict[str, tuple[Json, Json]] = {
    OUTAGE: ({}, WIDE()),
    "may be in clear text": (postgres(sslMode="prefer"), postgres(sslMode="require")),
    "backups and request signatures are sent": (
        WIDE(backup={"enabled": True, "bucket": "backups", "endpoint": "http://s3:8333"}),
        WIDE(backup={"enabled": True, "bucket": "backups", "endpoint": "https://s3:8333"}),
    ),
    "artifacts and request signatures are sent": (
        s3(endpoint="http://s3:8333"),
        s3(endpoint="https://s3:8333"),
    ),
    "no authentication": (
        {},
        {"auth": {"mode": "basic"}, "keys": {"fromSecret": {"enabled": True}}},
    ),
    "keys.fromSecret is not enabled": ({}, {"keys": {"fromSecret": {"enabled": True}}}),
    "runs are in SQLite": (postgres(enabled=False), postgres()),
    "artifactStore.s3.enabled is not: artifacts are not stored there": (s3(enabled=False), s3()),
    "each client needs credentials of the object store": (
        {"artifactStore": {"mode": "direct", **s3()["artifactStore"]}},
        s3(),
    ),
    "each account may read all artifacts": (
        {"artifactStore": {**s3()["artifactStore"], "allowedSources": ["S3://mod"]}},
        {"artifactStore": {**s3()["artifactStore"], "allowedSources": ["s3://models/other"]}},
    ),
    "no protection from DNS rebinding": ({"mlflow": {"allowedHosts": ["*"]}}, {}),
    "the hosts have no effect": (INGRESS(enabled=False), INGRESS()),
    "every client may connect": (POLICY(ingress=[{}]), POLICY(ingress=[{"from": [{"podSelector": {}}]}])),
    "port 5432 of any address": (
        {**postgres(host="db.example.com"), **POLICY()},
        {**postgres(host="10.0.0.5"), **POLICY()},
    ),
    "port 443 of any address": (
        {**s3(), **POLICY()},
        {**s3(), **POLICY(peers={"objectStore": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})},
    ),
    "weaker than the chart's default": ({"podSecurityContext": {"runAsNonRoot": False}}, {}),
}


@pytest.mark.parametrize("risk", RISKS)
def test_risk_is_told_when_taken(chart: Chart, risk: str) -> None:
    taken, avoided = RISKS[risk]
    assert risk in chart.notes(taken)
    assert risk not in chart.notes(avoided)


@pytest.mark.parametrize(
    ("case", "url"),
    [
        ("typical", "https://mlflow.example.com"),
        ("static-prefix", "http://apps.example.com/tools/mlflow"),
        ("http-route", "https://mlflow.example.com"),
    ],
)
def test_address_of_the_ui(chart: Chart, case: str, url: str) -> None:
    """Of the Ingress or HTTPRoute first, by the scheme that works; then the way without it."""
    notes = chart.notes(MLFLOW.folder / f"ci/{case}-values.yaml")
    assert f"Open the UI   {url}\n              kubectl port-forward" in notes
    assert f", {url.split('/')[2]}" in notes.split("  hosts      ")[1].splitlines()[0]
