"""What the workers of one server count, and whether that server answers."""

import http.client
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# MLflow's own name, and the one that its users look for.
PUBLIC_NAMES = {"mlflow_http_request": "mlflow_http_requests"}


def collectors(env: Mapping[str, str]) -> list[Collector]:
    """The collectors for the server that has the same environment."""
    health = f"{env.get('MLFLOW_STATIC_PREFIX', '')}/health"
    return [
        WorkerTotals(env["MLFLOW_EXPOSE_PROMETHEUS"]),
        ServerHealth(int(env.get("MLFLOW_PORT") or 5000), health),
    ]


class WorkerTotals(Collector):
    """The sums over all workers, those that are gone included: a counter must not fall."""

    def __init__(self, folder: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.files = MultiProcessCollector(None, folder)

    def collect(self) -> Iterator[Metric]:
        """Yield each metric, some under a second name."""
        for metric in self.files.collect():
            yield metric
            if metric.name in PUBLIC_NAMES:
                yield _renamed(metric, PUBLIC_NAMES[metric.name])


def _renamed(metric: Metric, name: str) -> Metric:
    other = Metric(name, metric.documentation, metric.type)
    for sample in metric.samples:
        other.add_sample(name + sample.name.removeprefix(metric.name), sample.labels, sample.value)
    return other


class ServerHealth(Collector):
    """Asks the server beside this process how it is."""

    def __init__(self, port: int, path: str) -> None:
        self.port = port
        self.path = path

    def collect(self) -> Iterator[Metric]:
        """Yield whether the server is healthy."""
        yield GaugeMetricFamily(
            "mlflow_server_up", "1 if the server answers its health check.", value=self._is_healthy()
        )

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            # As a kubelet asks: answered by the direct launcher even if all of its threads are busy.
            connection.request("GET", self.path, headers={"Connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
