"""How often MLflow's own code answered in place of a fast path, and why."""

from typing import Any

from mlflow_kubernetes.server.request_metrics import metrics_folder


class Fallbacks:
    """The counter `mlflow_fast_path_fallbacks_total`, if metrics are on."""

    def __init__(self) -> None:
        self.counter: Any = None
        if metrics_folder():
            from prometheus_client import CollectorRegistry, Counter

            self.counter = Counter(
                "mlflow_fast_path_fallbacks",
                "Calls that MLflow's own code answered in place of a fast path.",
                ("call", "reason"),
                registry=CollectorRegistry(),
            )

    def add(self, call: str, reason: str) -> None:
        """Count one.

        Args:
            call: Name of MLflow's function.
            reason: One of the few reasons that Unusual has.
        """
        if self.counter is not None:
            self.counter.labels(call, reason).inc()
