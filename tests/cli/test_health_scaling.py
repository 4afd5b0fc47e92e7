"""What the health check makes of an autoscaler and a disruption budget; tests/e2e has real ones."""

from typing import Any

import pytest
from mlflowops.health import scaling
from mlflowops.health.release import Release
from mlflowops.kube import Json

LABELS = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": "mlflow"}
RELEASE = Release(
    {
        "metadata": {"name": "mlflow", "namespace": "ml"},
        "spec": {"template": {"metadata": {"labels": {**LABELS, "app": "mlflow"}}, "spec": {}}},
    },
    [],
    [],
)
WELL = [{"type": "AbleToScale", "status": "True"}, {"type": "ScalingActive", "status": "True"}]


class Namespace:
    """The objects of a namespace, by plural."""

    def __init__(self, **objects: list[Json]) -> None:
        self.objects = objects

    def list_if_served(self, group: str, plural: str) -> list[Json]:
        assert (group, plural) in {
            ("autoscaling/v2", "horizontalpodautoscalers"),
            ("policy/v1", "poddisruptionbudgets"),
        }
        return self.objects.get(plural, [])


def hpa(*conditions: Json, pods: int = 3, target: str = "mlflow") -> Json:
    return {
        "metadata": {"name": "mlflow"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": target},
            "minReplicas": 2,
            "maxReplicas": 10,
        },
        "status": {"currentReplicas": pods, "conditions": [*WELL, *conditions]},
    }


def budget(allowed: int, healthy: int, expected: int = 3, selector: Any = LABELS) -> Json:
    status = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "expectedPods": expected}
    return {"metadata": {"name": "mlflow"}, "spec": {"selector": {"matchLabels": selector}}, "status": status}


def test_nothing_to_say() -> None:
    """Neither where there is none, nor about those of others."""
    others = {"app.kubernetes.io/name": "postgres"}
    for namespace in (
        Namespace(),
        Namespace(
            horizontalpodautoscalers=[hpa(target="web")],
            poddisruptionbudgets=[budget(0, 1, selector=others), budget(0, 1, selector={})],
        ),
    ):
        assert [*scaling.autoscaling(RELEASE, namespace), *scaling.disruption(RELEASE, namespace)] == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pods", "detail"),
    [(3, "3 pods of 2 to 10"), (10, "10 pods of 2 to 10; is it slow? raise autoscaling.maxReplicas")],
)
def test_a_working_autoscaler(pods: int, detail: str) -> None:
    (check,) = scaling.autoscaling(RELEASE, Namespace(horizontalpodautoscalers=[hpa(pods=pods)]))  # type: ignore[arg-type]
    assert (check.status, check.detail) == ("ok", detail)


@pytest.mark.parametrize(
    ("kind", "reason", "fix"),
    [
        ("ScalingActive", "FailedGetContainerResourceMetric", "kubectl top pods -n ml"),
        ("ScalingActive", "ScalingDisabled", "kubectl scale -n ml deployment/mlflow"),
        ("AbleToScale", "FailedGetScale", "kubectl describe hpa -n ml mlflow"),
    ],
)
def test_an_autoscaler_that_cannot(kind: str, reason: str, fix: str) -> None:
    wrong = {"type": kind, "status": "False", "reason": reason, "message": "no metrics"}
    (check,) = scaling.autoscaling(RELEASE, Namespace(horizontalpodautoscalers=[hpa(wrong)]))  # type: ignore[arg-type]
    assert (check.status, check.detail) == ("red", f"{reason}: no metrics")
    assert fix in check.fix


def test_a_budget_with_one_to_spare() -> None:
    (check,) = scaling.disruption(RELEASE, Namespace(poddisruptionbudgets=[budget(1, 3)]))  # type: ignore[arg-type]
    assert (check.status, check.detail) == ("ok", "1 of 3 healthy pods may be evicted at a time")


@pytest.mark.parametrize(("healthy", "fix"), [(2, "see the pods"), (3, "podDisruptionBudget.minAvailable")])
def test_a_budget_without(healthy: int, fix: str) -> None:
    (check,) = scaling.disruption(RELEASE, Namespace(poddisruptionbudgets=[budget(0, healthy)]))  # type: ignore[arg-type]
    assert check.status == "red" and f"none of {healthy} healthy pods" in check.detail
    assert fix in check.fix
