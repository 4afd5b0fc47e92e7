"""Serve metrics to Prometheus: `metrics workers`, `metrics stores`, or both in one process.

workers: what the server's workers count, read from a folder that they share with this process in their pod.
stores: state of the database and the object store; one process checks them for all pods.
Metrics have a process of their own, so that scraping needs neither a login nor an allowed host name.
"""

import importlib
import os
import signal
import sys
import threading

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from mlflow_kubernetes.addresses import every_address
from mlflow_kubernetes.log import logger

# The module of each part.
PARTS = {"workers": "worker_metrics", "stores": "store_checks"}


def main() -> None:
    """Serve the named parts until SIGTERM."""
    names = sys.argv[1:]
    if not names or not set(names) <= set(PARTS):
        sys.exit(f"mlflow: metrics: {names} are not its parts; name workers, stores or both.")
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    registry = CollectorRegistry()
    for collector in [each for name in names for each in collectors(name)]:
        registry.register(collector)
    port = int(os.environ.get("MLFLOW_KUBERNETES_METRICS_PORT") or 9464)
    start_http_server(port, every_address(), registry)
    logger("metrics").info(f"{' and '.join(names)} on port {port}.")
    end.wait()


def collectors(name: str) -> list[Collector]:
    """What a part collects. A pod has only the files of the parts that it serves."""
    part = importlib.import_module(f"mlflow_kubernetes.metrics.{PARTS[name]}")
    found: list[Collector] = part.collectors(os.environ)
    return found
