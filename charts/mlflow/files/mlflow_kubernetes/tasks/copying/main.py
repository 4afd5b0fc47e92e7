"""Copy another MLflow into this release, rows and artifacts. Runs in a Job of `mlflowops copy`.

It takes orders over HTTP on the loopback address of its pod, to which the Kubernetes API forwards. All rows
are written, and compared with the source, in one transaction: a copy that fails changes nothing.
"""

import argparse
import os
from pathlib import Path

from mlflow_kubernetes.stores.database import PostgreSQL, Unreachable, connect
from mlflow_kubernetes.tasks.copying.orders import Orders
from mlflow_kubernetes.tasks.copying.service import serve
from mlflow_kubernetes.tasks.task import TaskError


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for what comes in")
    parser.add_argument("--port", type=int, required=True, help="of the loopback address")
    parser.add_argument("--idle-seconds", type=float, default=300, help="without an order until it ends")
    options = parser.parse_args()
    os.environ["PGAPPNAME"] = "mlflow-copy"
    try:
        if not isinstance(connect(os.environ.get("MLFLOW_BACKEND_STORE_URI", "")), PostgreSQL):
            raise TaskError("the database of the release is not PostgreSQL; set backendStore.postgres")
        orders = Orders(options.folder, os.environ)
    except (TaskError, Unreachable) as error:
        raise SystemExit(f"mlflow: copy: {error}.") from error
    return serve(orders, options.port, options.idle_seconds)
