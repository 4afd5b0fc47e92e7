"""Checks the read replica of the database, from the exporter's metrics."""

from mlflowops.health.check import Check, green, yellow
from mlflowops.health.metrics_page import MetricsPage
from mlflowops.health.thresholds import Thresholds


def checks(page: MetricsPage, thresholds: Thresholds) -> list[Check]:
    """Return one check, if the release has a read replica.

    Args:
        page: Samples of the exporters.
        thresholds: Values by their key in `prometheusRule.thresholds`.
    """
    up = page.values("mlflow_database_replica_up")
    if not up:
        return []
    if 0 in up:
        detail = "it does not answer, so the primary answers all reads"
        return [yellow("replica", detail, "see docs/runbooks/MLflowReplicaUnreachable.md")]
    lag = max(page.values("mlflow_database_replica_lag_seconds"), default=0)
    detail = f"it is {lag:.0f} s behind the primary"
    if lag > thresholds["replicaLagSeconds"]:
        return [yellow("replica", detail, "see docs/runbooks/MLflowReplicaLagging.md")]
    return [green("replica", detail)]
