"""The schema of the read replica: MLflow does not start while a migration has not arrived there."""

import time
from collections.abc import Mapping

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.stores.database import PostgreSQL, Unreachable
from mlflow_kubernetes.stores.read_replica import replica_uri

log = logger("schema")


class ReplicaBehind(Exception):
    """The migration did not arrive in time."""


def wait_for_replica(env: Mapping[str, str]) -> None:
    """Wait until the replica has the schema of the installed MLflow; raises ReplicaBehind.

    A replica that does not answer is not waited for: the primary answers in its place.
    """
    uri = replica_uri(env)
    if not uri:
        return
    replica, head = PostgreSQL(uri), Revisions.installed().head
    seconds = float(env.get("MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS") or 600)
    deadline = time.monotonic() + seconds
    try:
        while (found := replica.revision()) != head:
            if time.monotonic() + 1 > deadline:
                raise ReplicaBehind(
                    f"the read replica is at {found or 'no revision'} after {seconds:.0f} s, not at {head}; "
                    "let it replay the WAL, or remove backendStore.postgres.readReplica.host."
                )
            log.info(f"the read replica is at {found or 'no revision'}; waiting for {head}.")
            time.sleep(1)
    except Unreachable as error:
        log.warning(f"the read replica does not answer, so the primary will: {error}")
