"""Checks that the large tables have the indexes that searches need, from the exporter's metrics."""

from mlflowops.health.check import Check, green, yellow
from mlflowops.health.metrics_page import MetricsPage

LARGE_TABLE_ROWS = 100_000
"""As in the alert MLflowIndexMissing."""


def checks(page: MetricsPage) -> list[Check]:
    """Return one check, if the exporter reads PostgreSQL.

    Args:
        page: Samples of the exporters.
    """
    indexes = page.samples.get("mlflow_database_index_missing", [])
    if not indexes:
        return []
    missing = [
        f"{labels['table']} ({labels['columns']})"
        for labels, is_missing in indexes
        if is_missing
        and max(page.values("mlflow_database_table_rows", table=labels["table"]), default=0)
        > LARGE_TABLE_ROWS
    ]
    size = max(page.values("mlflow_database_table_size_bytes", table="metrics"), default=0)
    detail = f"the metrics table has {size / 2**30:.1f} GiB"
    if missing:
        return [
            yellow(
                "indexes",
                f"no index on {', '.join(missing)}; {detail}",
                "see docs/runbooks/MLflowIndexMissing.md",
            )
        ]
    return [green("indexes", f"no large table lacks one; {detail}")]
