"""What Helm tells after an install: the effective configuration, how to get in, what is risky."""

from collections.abc import Callable

import pytest

from render.chart import MLFLOW, Chart, Json, postgres, s3

OUTAGE = "each upgrade is a short outage"


def test_default(chart: Chart) -> None:
    notes = chart.notes()
    for line in (
        "MLflow 3.17.2 is release mlflow in namespace ml.",
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


WIDE: Callable[..., Json] = lambda **more: {**postgres(), **s3(), **more}  # noqa: E731
RISKS: dict[str, tuple[Json, Json]] = {
    OUTAGE: ({}, WIDE()),
    "may be in clear text": (postgres(sslMode="prefer"), postgres(sslMode="require")),
    "travel in clear text": (s3(endpoint="http://s3:8333"), s3(endpoint="https://s3:8333")),
    "runs go to SQLite": (postgres(enabled=False), postgres()),
    "artifacts go to the volume": (s3(enabled=False), s3()),
    "no protection from DNS rebinding": ({"mlflow": {"allowedHosts": ["*"]}}, {}),
    "below the chart's default": ({"podSecurityContext": {"runAsNonRoot": False}}, {}),
}


@pytest.mark.parametrize("risk", RISKS)
def test_risk_is_told_when_taken(chart: Chart, risk: str) -> None:
    taken, avoided = RISKS[risk]
    assert risk in chart.notes(taken)
    assert risk not in chart.notes(avoided)
