"""Serve metrics to Prometheus: `metrics.py workers`, `metrics.py stores`, or both in one process.

workers: what the server's workers count, read from a folder that they share with this process in their pod.
stores: what the database and the object store tell; for all pods together, so one process looks.
It is a process of its own so that neither MLflow's login nor its list of host names stands in the way.
"""

import os
import signal
import sys
import threading

import metrics_stores
import metrics_workers
from prometheus_client import CollectorRegistry, start_http_server
from say import say

PARTS = {"workers": metrics_workers.collectors, "stores": metrics_stores.collectors}


def main() -> None:
    """Serve the named parts until SIGTERM."""
    names = sys.argv[1:]
    if not names or not set(names) <= set(PARTS):
        sys.exit(f"mlflow: metrics: {names} are not parts of it; name workers, stores or both.")
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    registry = CollectorRegistry()
    for collector in [each for name in names for each in PARTS[name](os.environ)]:
        registry.register(collector)
    port = int(os.environ.get("MLFLOW_KUBERNETES_METRICS_PORT") or 9464)
    start_http_server(port, registry=registry)
    say("metrics", f"{' and '.join(names)} on port {port}.")
    end.wait()


if __name__ == "__main__":
    main()
