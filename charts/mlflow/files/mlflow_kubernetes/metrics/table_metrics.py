"""Size and missing indexes of the large tables of runs on PostgreSQL."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from mlflow_kubernetes.stores.database import PostgreSQL
from mlflow_kubernetes.stores.indexes import LATEST_METRICS, RUNS, wanted_indexes

# The columns of the indexes that MLflow's own migrations make, those of primary keys first.
MLFLOW_INDEXES = {
    "runs": ["run_uuid"],
    "metrics": ["key, timestamp, step, run_uuid, value, is_nan", "run_uuid", "run_uuid, key, step"],
    "latest_metrics": ["key, run_uuid", "run_uuid"],
    "params": ["key, run_uuid", "run_uuid"],
    "tags": ["key, run_uuid", "run_uuid"],
}
CHART_INDEXES = {
    RUNS.name: "experiment_id, lifecycle_stage, start_time, run_uuid",
    LATEST_METRICS.name: "key, value, run_uuid",
}
TABLES = "SELECT to_regclass(name) FROM unnest(%s) name"
SIZES = f"""
    SELECT relname, greatest(reltuples, 0), pg_total_relation_size(oid)
    FROM pg_class WHERE oid IN ({TABLES})"""  # noqa: S608 - a constant
VALID = f"""
    SELECT c.relname, (
        SELECT string_agg(a.attname, ', ' ORDER BY k.place)
        FROM unnest(i.indkey) WITH ORDINALITY k (number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE i.indisvalid AND i.indrelid IN ({TABLES})"""  # noqa: S608 - a constant


class TableState:
    """Quick to ask: the size comes from the files, the number of rows is PostgreSQL's estimate."""

    def __init__(self, database: PostgreSQL, env: Mapping[str, str]) -> None:
        self.database = database
        self.expected = {(table, columns) for table, all_ in MLFLOW_INDEXES.items() for columns in all_}
        self.expected |= {(each.table, CHART_INDEXES[each.name]) for each in wanted_indexes(env)}

    def collect(self) -> Iterator[Metric]:
        """Ask for all of it."""
        with self.database.connection() as connection, closing(connection.cursor()) as cursor:
            cursor.execute(SIZES, [list(MLFLOW_INDEXES)])
            sizes = cursor.fetchall()
            cursor.execute(VALID, [list(MLFLOW_INDEXES)])
            valid = set(cursor.fetchall())
        rows = GaugeMetricFamily(
            "mlflow_database_table_rows", "Estimated number of rows of a table.", labels=["table"]
        )
        size = GaugeMetricFamily(
            "mlflow_database_table_size_bytes", "Size of a table with its indexes in bytes.", labels=["table"]
        )
        for table, count, bytes_ in sizes:
            rows.add_metric([table], count)
            size.add_metric([table], bytes_)
        yield rows
        yield size
        yield self._missing(valid)

    def _missing(self, valid: set[Any]) -> Metric:
        family = GaugeMetricFamily(
            "mlflow_database_index_missing",
            "1 if a table has no valid index on these columns.",
            labels=["table", "columns"],
        )
        for each in sorted(self.expected):
            family.add_metric(list(each), each not in valid)
        return family
