"""Checks the free space of the volume, if the server has one."""

import json

from mlflowops.health import exec_query
from mlflowops.health.check import Check, green, red, unknown
from mlflowops.health.release import Release
from mlflowops.health.thresholds import read_thresholds
from mlflowops.kube import ApiError, Reader

GIBI = 2**30


def checks(release: Release, reader: Reader) -> list[Check]:
    """Return one check, if the server has a volume."""
    volumes = release.deployment["spec"]["template"]["spec"].get("volumes", [])
    if not any("persistentVolumeClaim" in each for each in volumes):
        return []
    pod = release.ready_pod
    if pod is None:
        return [unknown("volume", "no pod is ready to be asked", "see the pods")]
    try:
        answer = exec_query.run(reader, pod, "volume")
    except ApiError as error:
        return [exec_query.forbidden("volume", pod, error)]
    return [evaluate(answer, read_thresholds(release.name, reader)["volumePercent"])]


def evaluate(answer: str, percent_allowed: float) -> Check:
    """Evaluate the answer of a pod."""
    try:
        total, used, _ = json.loads(answer)
    except ValueError:
        detail = f"the pod's check failed: {answer.strip()[-200:]}"
        return red("volume", detail, "is the volume mounted? see the pods")
    percent = 100 * used / total
    detail = f"{percent:.0f} % of {total / GIBI:.1f} GiB in use"
    if percent <= percent_allowed:
        return green("volume", detail)
    return red(
        "volume", detail, "let the claim grow (persistence.size), or move artifacts to an object store"
    )
