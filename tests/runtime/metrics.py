"""The chart's metrics process, and what it says."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics_page import differences
from runtime.network import free_port, wait_until
from runtime.server import PACKAGE, environment


@dataclass(frozen=True)
class Page:
    """One scrape."""

    text: str

    @property
    def samples(self) -> list[tuple[str, dict[str, str], float]]:
        families = text_string_to_metric_families(self.text)
        return [(each.name, each.labels, each.value) for family in families for each in family.samples]

    def names(self) -> set[str]:
        """Every name that a query can ask for."""
        return {name for name, _, _ in self.samples}

    def sum(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels; KeyError if there is none."""
        found = [value for each, has, value in self.samples if each == name and labels.items() <= has.items()]
        if not found:
            raise KeyError(f"{name} {labels}")
        return sum(found)


@dataclass
class Metrics:
    """`metrics` with some of its parts, as it runs in a pod."""

    folder: Path
    parts: tuple[str, ...]
    env: dict[str, str]
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        self.log = self.folder / f"metrics-{self.port}.log"

    def start(self) -> "Metrics":
        """Start it without waiting."""
        env = {"MLFLOW_KUBERNETES_METRICS_INTERVAL": "0.2", **self.env}
        env["MLFLOW_KUBERNETES_METRICS_PORT"] = str(self.port)
        command = [sys.executable, str(PACKAGE), "metrics", *self.parts]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment(self.folder, **env), stdout=log, stderr=log
            )
        return self

    def ready(self) -> "Metrics":
        """Wait until it answers."""
        wait_until(f"metrics (log: {self.log})", self._answers)
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(self.url, timeout=30).ok
        except requests.RequestException:
            return False

    def page(self) -> Page:
        """Scrape it, as Prometheus does: by an address that MLflow would not answer to."""
        answer = requests.get(self.url, headers={"Host": "evil.example.com"}, timeout=30)
        answer.raise_for_status()
        assert differences(answer.text) == [], "docs/metrics.md"
        return Page(answer.text)

    def until(self, value: float, name: str, **labels: str) -> Page:
        """Scrape until a metric has a value."""
        seen: list[Page] = []

        def reached() -> bool:
            seen[:] = [self.page()]
            try:
                return seen[0].sum(name, **labels) == value
            except KeyError:
                return False

        wait_until(f"{name} {labels} = {value} (log: {self.log})", reached)
        return seen[0]

    def reported(self, name: str) -> float:
        """Scrape until a metric is there, as it is once a task has ended; its value."""
        seen: list[float] = []

        def there() -> bool:
            page = self.page()
            seen[:] = [page.sum(name)] if name in page.names() else []
            return bool(seen)

        wait_until(f"{name} (log: {self.log})", there)
        return seen[0]

    def memory(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match
        return int(match[1]) / 1024

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        return self.process.wait(30)
