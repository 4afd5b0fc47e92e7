"""Checks the HorizontalPodAutoscaler and the PodDisruptionBudgets of the server.

Both only where the release has such an object: the server serves without either.
"""

from collections.abc import Iterator

from mlflowops.health.check import Check, green, red
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader

NO_METRICS = "is metrics-server running? `kubectl top pods -n {namespace}`"
FIXES = {
    "FailedGetContainerResourceMetric": NO_METRICS,
    "FailedGetResourceMetric": NO_METRICS,
    "ScalingDisabled": "`kubectl scale -n {namespace} deployment/{name} --replicas 1` switches it on again",
}
ANY_FIX = "`kubectl describe hpa -n {namespace} {hpa}`"


def autoscaling(release: Release, reader: Reader) -> Iterator[Check]:
    """Yield a check for each autoscaler of the server, whatever created it."""
    for hpa in reader.list_if_served("autoscaling/v2", "horizontalpodautoscalers"):
        target = hpa["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) == ("Deployment", release.name):
            yield evaluate_autoscaler(release, hpa)


def disruption(release: Release, reader: Reader) -> Iterator[Check]:
    """Yield a check for each budget that selects the server pods."""
    labels = release.deployment["spec"]["template"]["metadata"]["labels"].items()
    for budget in reader.list_if_served("policy/v1", "poddisruptionbudgets"):
        chosen = budget["spec"].get("selector", {}).get("matchLabels", {})
        if chosen and chosen.items() <= labels:
            yield evaluate_budget(budget)


def evaluate_autoscaler(release: Release, hpa: Json) -> Check:
    """Check that an autoscaler has metrics and can scale."""
    spec, status = hpa["spec"], hpa.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] in ("AbleToScale", "ScalingActive") and condition["status"] == "False":
            reason, names = condition["reason"], {"name": release.name, "hpa": hpa["metadata"]["name"]}
            fix = FIXES.get(reason, ANY_FIX).format(namespace=release.namespace, **names)
            return red("autoscaling", f"{reason}: {condition.get('message', '')}", fix)
    pods, maximum = status.get("currentReplicas", 0), spec["maxReplicas"]
    full = "; is it slow? raise autoscaling.maxReplicas" if pods >= maximum else ""
    return green("autoscaling", f"{pods} pods of {spec.get('minReplicas', 1)} to {maximum}{full}")


def evaluate_budget(budget: Json) -> Check:
    """Check that a pod may be evicted. If not, a drain of its node never ends."""
    status = budget.get("status", {})
    allowed, healthy = status.get("disruptionsAllowed", 0), status.get("currentHealthy", 0)
    if allowed:
        return green("disruption", f"{allowed} of {healthy} healthy pods may be evicted at a time")
    detail = f"none of {healthy} healthy pods may be evicted, so their nodes cannot be drained"
    if healthy < status.get("expectedPods", 0):
        return red("disruption", detail, "see the pods: some are not ready")
    return red("disruption", detail, "lower podDisruptionBudget.minAvailable, or run more pods")
