"""A check that is repeated in its own thread, so that no scrape waits for it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mlflow_kubernetes.log import logger

# Seconds, beyond three intervals, after which a check that has not ended counts as failed.
TIMEOUT_SECONDS = 30


class Failed(Exception):
    """What a check found wrong, as one sentence."""


@dataclass(frozen=True)
class Look:
    """The result of a check that measured its own time and has no metrics."""

    seconds: float


@dataclass(frozen=True)
class CheckResult:
    """How one check ended."""

    seconds: float
    error: str
    found: list[Metric]
    at: float


class PeriodicCheck(Collector):
    """Exposes `<name>_up`, `<name>_latency_seconds` and what `run` found, which fails by raising."""

    def __init__(
        self, name: str, what: str, run: Callable[[], Look | Iterable[Metric]], every: float
    ) -> None:
        self.name = name
        self.what = what
        self.run = run
        self.every = every
        self.started = time.monotonic()
        self.last: CheckResult | None = None
        threading.Thread(target=self._repeat, daemon=True, name=name).start()

    def collect(self) -> Iterator[Metric]:
        """Yield the result of the last run, and wait for none."""
        last = self.last
        # A check that hangs has failed, however long the kernel waits for its connection.
        hangs = time.monotonic() - (last.at if last else self.started) > 3 * self.every + TIMEOUT_SECONDS
        if last is None and not hangs:
            return
        up = last is not None and not last.error and not hangs
        yield GaugeMetricFamily(f"{self.name}_up", f"1 if the last check of {self.what} succeeded.", value=up)
        if last and up:
            words = f"Duration of the last check of {self.what} in seconds."
            yield GaugeMetricFamily(f"{self.name}_latency_seconds", words, value=last.seconds)
            yield from last.found

    def _repeat(self) -> None:
        while True:
            self._run_once()
            time.sleep(self.every)

    def _run_once(self) -> None:
        began = time.monotonic()
        error, found, seconds = "", [], None
        try:
            look = self.run()
            if isinstance(look, Look):
                seconds = look.seconds
            else:
                found = list(look)
        except Exception as failure:  # the next check may succeed after any error
            kind = "" if isinstance(failure, Failed) else f"{type(failure).__name__}: "
            error = " ".join(f"{kind}{failure}".split())
        before = self.last.error if self.last else ""
        now = time.monotonic()
        self.last = CheckResult(now - began if seconds is None else seconds, error, found, now)
        if bool(error) is not bool(before):
            logger("metrics").info(f"{self.what}: {error or 'answers again'}")
