"""How far the read replica is behind the primary."""

from collections.abc import Iterator
from contextlib import closing

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from mlflow_kubernetes.stores.database import PostgreSQL

# The last transaction may be old because there are no new ones: while the standby receives WAL and has
# replayed all of it, the lag is 0. Without a receiver the age of the last transaction counts, because new
# ones cannot be seen. A server that is not a standby, as after a switchover, is not behind.
LAG = """
    SELECT CASE
        WHEN NOT pg_is_in_recovery() THEN 0
        WHEN EXISTS (SELECT FROM pg_stat_wal_receiver)
         AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
        ELSE greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float)
    END"""


class ReplicaState:
    """The standby that answers the server's reads."""

    def __init__(self, replica: PostgreSQL) -> None:
        self.replica = replica

    def collect(self) -> Iterator[Metric]:
        """Ask for the lag; a standby that has replayed nothing yet reports none."""
        with self.replica.connection() as connection, closing(connection.cursor()) as cursor:
            cursor.execute(LAG)
            [(seconds,)] = cursor.fetchall()
        if seconds is not None:
            words = "Seconds by which the read replica is behind the primary."
            yield GaugeMetricFamily("mlflow_database_replica_lag_seconds", words, value=seconds)
