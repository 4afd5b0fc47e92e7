"""Thresholds of the checks: those of the release's alerts, else the chart's defaults (thresholds.yaml)."""

import re
from importlib import resources
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from mlflowops.kube import Json, Reader

Thresholds = dict[str, float]
"""Values by their key in `prometheusRule.thresholds` of the chart."""

ALERTS = {
    "errorPercent": "MLflowErrors",
    "databaseLatencySeconds": "MLflowDatabaseSlow",
    "replicaLagSeconds": "MLflowReplicaLagging",
    "usagePercent": "MLflowDatabaseConnectionsLow",
    "volumePercent": "MLflowVolumeFull",
}
"""The alert whose expression ends with `> <threshold>`."""

_LAST_COMPARISON = re.compile(r">\s*([0-9.eE+-]+)\s*$")


def read_thresholds(release: str, reader: "Reader") -> Thresholds:
    """Return the thresholds of a release, from its PrometheusRule if this account may read one.

    Args:
        release: Name of the release, which is the name of its PrometheusRule.
        reader: Reader of its namespace.
    """
    from mlflowops.kube import ApiError

    try:
        rule = reader.get_if_present("monitoring.coreos.com/v1", "prometheusrules", release)
    except ApiError:
        rule = None
    return defaults() | (from_rule(rule) if rule else {})


def defaults() -> Thresholds:
    """Return the chart's default thresholds."""
    found: Thresholds = yaml.safe_load((resources.files(__package__) / "thresholds.yaml").read_text())
    return found


def from_rule(rule: "Json") -> Thresholds:
    """Return the thresholds in the expressions of a PrometheusRule."""
    rules = [each for group in rule["spec"].get("groups", []) for each in group.get("rules", [])]
    expressions = {each.get("alert"): str(each["expr"]) for each in rules}
    found = {key: _LAST_COMPARISON.search(expressions.get(alert, "")) for key, alert in ALERTS.items()}
    return {key: float(match[1]) for key, match in found.items() if match}
