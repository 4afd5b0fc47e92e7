"""Counts the lines of the audit log that could not be written, and warns of them."""

import os
import time
from typing import Any

from mlflow_kubernetes.log import logger

# Seconds between two warnings.
WARN_SECONDS = 60


class LostLines:
    """The counter `mlflow_audit_lost_lines_total`, if metrics are on, and a warning at most once a minute."""

    def __init__(self) -> None:
        self.reason = ""
        self.unsaid = 0
        self.warned = -float("inf")
        self.counter: Any = None
        if os.environ.get("prometheus_multiproc_dir"):  # noqa: SIM112 (the library's own spelling)
            from prometheus_client import CollectorRegistry, Counter

            words = "Lines of the audit log that could not be written."
            self.counter = Counter("mlflow_audit_lost_lines", words, registry=CollectorRegistry())

    def count(self, reason: str) -> None:
        """Count a line. It does not wait, not even for the log."""
        self.reason = reason
        self.unsaid += 1
        if self.counter is not None:
            self.counter.inc()

    def warn(self) -> None:
        """Log how many lines were lost since the last warning, if some were."""
        now = time.monotonic()
        if self.unsaid and now - self.warned > WARN_SECONDS:
            self.warned, count, self.unsaid = now, self.unsaid, 0
            logger("audit").warning(f"{count} lines of the audit log could not be written: {self.reason}.")
