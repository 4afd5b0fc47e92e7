"""How many server pods there are, where, and how many may be missing."""

from typing import Any

import pytest

from render.chart import KEYS, MLFLOW, Chart, Json, Manifest, postgres, s3

SHARED = {**postgres(), **s3(), **KEYS}


def autoscaled(**more: Any) -> Json:
    return {**SHARED, "autoscaling": {"enabled": True, **more}}


def fixed(pods: int, **budget: Any) -> Json:
    return {**SHARED, "replicaCount": pods, "podDisruptionBudget": budget}


def kinds(manifest: Manifest) -> set[str]:
    return {item["kind"] for item in manifest.objects}


def test_either_a_number_or_an_autoscaler(chart: Chart) -> None:
    """`replicas` beside an autoscaler would throw away, at each upgrade, what it had decided."""
    number, scaled = chart.render(fixed(3)), chart.render(autoscaled())
    assert number.one("Deployment")["spec"]["replicas"] == 3
    assert "HorizontalPodAutoscaler" not in kinds(number)
    assert "replicas" not in scaled.one("Deployment")["spec"]
    assert "HorizontalPodAutoscaler" in kinds(scaled)


def test_the_autoscaler_scales_the_server(chart: Chart) -> None:
    spec = chart.render(autoscaled(), release="tracking").one("HorizontalPodAutoscaler", "tracking-mlflow")[
        "spec"
    ]
    assert spec == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tracking-mlflow"},
        "minReplicas": 2,
        "maxReplicas": 10,
        "metrics": [target("cpu", 80)],
    }


def target(resource: str, percent: int) -> Json:
    """Of the server's container, whatever runs beside it."""
    return {
        "type": "ContainerResource",
        "containerResource": {
            "container": "mlflow",
            "name": resource,
            "target": {"type": "Utilization", "averageUtilization": percent},
        },
    }


CUSTOM = {
    "type": "External",
    "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "9"}},
}


@pytest.mark.parametrize(
    ("keys", "metrics"),
    [
        ({"targetCPUUtilizationPercentage": 70}, [target("cpu", 70)]),
        ({"targetMemoryUtilizationPercentage": 90}, [target("cpu", 80), target("memory", 90)]),
        ({"targetCPUUtilizationPercentage": 0, "metrics": [CUSTOM]}, [CUSTOM]),
        ({"metrics": [CUSTOM]}, [target("cpu", 80), CUSTOM]),
    ],
    ids=["cpu", "memory", "custom", "cpu-and-custom"],
)
def test_what_the_autoscaler_looks_at(chart: Chart, keys: Json, metrics: list[Json]) -> None:
    found = chart.render(autoscaled(**keys)).one("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert found == metrics
    assert all(type(each["averageUtilization"]) is int for each in _targets(found))


def _targets(metrics: list[Json]) -> list[Json]:
    return [each["containerResource"]["target"] for each in metrics if "containerResource" in each]


def test_a_limit_is_a_request_too(chart: Chart) -> None:
    """Kubernetes takes a limit for the request that is not given."""
    resources = {"requests": {"cpu": None}, "limits": {"cpu": "2"}}
    assert "HorizontalPodAutoscaler" in kinds(
        chart.render({**autoscaled(), "mlflow": {"resources": resources}})
    )


@pytest.mark.parametrize(
    ("values", "budget"),
    [
        ({}, None),
        ({"podDisruptionBudget": {"minAvailable": 1}}, None),
        (SHARED, None),
        (autoscaled(minReplicas=1), None),
        (fixed(2, enabled=False), None),
        (fixed(2), {"maxUnavailable": 1}),
        (autoscaled(), {"maxUnavailable": 1}),
        ({**autoscaled(minReplicas=1), "replicaCount": 3}, None),
        (fixed(3, maxUnavailable=2), {"maxUnavailable": 2}),
        (fixed(3, minAvailable=2), {"minAvailable": 2}),
        (fixed(3, minAvailable=0), {"minAvailable": 0}),
        (fixed(4, minAvailable="60%"), {"minAvailable": "60%"}),
    ],
    ids=[
        "embedded", "embedded-minimum", "one", "autoscaled-from-one", "off", "two", "autoscaled",
        "replica-count-without-effect", "max", "min", "zero", "percent",
    ],
)  # fmt: skip
def test_a_budget_where_more_than_one_pod_can_be_relied_on(
    chart: Chart, values: Json, budget: Json | None
) -> None:
    """With one pod it would only forbid every drain."""
    manifest = chart.render(values)
    assert ("PodDisruptionBudget" in kinds(manifest)) is (budget is not None)
    if budget:
        spec = manifest.one("PodDisruptionBudget")["spec"]
        selector = manifest.one("Deployment")["spec"]["selector"]
        assert spec == {**budget, "selector": selector, "unhealthyPodEvictionPolicy": "AlwaysAllow"}


def test_pods_spread_over_zones_and_nodes(chart: Chart) -> None:
    """Softly: a cluster of one node runs them all. Each version of the pods by itself: a rolling update puts
    new pods where old ones are missing, which could leave all of them on one node."""
    manifest = chart.render()
    spread = manifest.server()["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for each in spread:
        assert (each["whenUnsatisfiable"], each["maxSkew"]) == ("ScheduleAnyway", 1)
        assert each["matchLabelKeys"] == ["pod-template-hash"]
        assert each["labelSelector"] == manifest.one("Deployment")["spec"]["selector"]


def test_spread_may_be_left_out(chart: Chart) -> None:
    assert "topologySpreadConstraints" not in chart.render({"topologySpreadConstraints": []}).server()


@pytest.mark.parametrize("name", ["default", "autoscaling", "metrics"])
def test_priority_class_of_every_pod(chart: Chart, name: str) -> None:
    import yaml

    values = yaml.safe_load((MLFLOW.folder / f"ci/{name}-values.yaml").read_text()) or {}
    for value in ("", "production"):
        for pod, template in chart.render({**values, "priorityClassName": value}).pods():
            assert template["spec"].get("priorityClassName", "") == value, pod


def test_a_strategy_of_your_own(chart: Chart) -> None:
    own = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}
    assert chart.render({**SHARED, "strategy": own}).one("Deployment")["spec"]["strategy"] == own
    recreate = {"type": "Recreate"}
    assert chart.render({"strategy": recreate}).one("Deployment")["spec"]["strategy"] == recreate


def test_the_notes_say_how_many(chart: Chart) -> None:
    assert "server     3 x 2 workers" in chart.notes({**SHARED, "replicaCount": 3})
    assert "server     2 to 10 x 2 workers" in chart.notes(autoscaled())
