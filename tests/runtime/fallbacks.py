"""How often MLflow's own code answered in place of a fast path."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from runtime.metrics import Page
from runtime.server import Server


def fallbacks(server: Server) -> dict[str, float]:
    """The counts of a server with metrics in its folder, by their labels: the call and the reason."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(server.folder / "metrics"))
    samples = Page(generate_latest(registry).decode()).samples
    return {
        str(labels): value for name, labels, value in samples if name == "mlflow_fast_path_fallbacks_total"
    }
