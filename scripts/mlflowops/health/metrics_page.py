"""The samples of a release's exporters."""

from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families


@dataclass
class MetricsPage:
    """All samples of all exporters, by metric name."""

    samples: dict[str, list[tuple[dict[str, str], float]]] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Add the samples of one exporter."""
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the values of a metric that have these labels."""
        found = self.samples.get(name, [])
        return [value for have, value in found if labels.items() <= have.items()]
