"""Checks the rollout, the pods and the Service endpoints of a release."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from mlflowops.health.check import Check, green, red
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader, condition, is_observed, parse_time
from mlflowops.restore import replicas_before

RECENT_RESTART = timedelta(minutes=10)
"""Restarts before this are not reported."""

STARTING = ("PodInitializing", "ContainerCreating")
FIXES = {
    "ImagePullBackOff": "push the image, or set image.registry to where the nodes can pull it",
    "ErrImagePull": "push the image, or set image.registry to where the nodes can pull it",
    "ErrImageNeverPull": "load the image into the nodes, as `make up` does",
    "CreateContainerConfigError": "create the Secret or key that is named; the pod then starts by itself",
    "CrashLoopBackOff": "read why it ended: `kubectl logs -n {namespace} {pod} --all-containers --previous`",
    "Unschedulable": "make room, or lower mlflow.resources.requests",
}
ANY_FIX = "`kubectl describe pod -n {namespace} {pod}`; `kubectl logs -n {namespace} {pod} --all-containers`"


def rollout(release: Release) -> Check:
    """Check that the rollout is complete."""
    spec, status = release.deployment["spec"], release.deployment.get("status", {})
    command = f"-n {release.namespace} deployment/{release.name}"
    replicas, total = spec["replicas"], status.get("replicas", 0)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if not replicas:
        return _scaled_to_zero(release, command)
    detail = f"{available} of {replicas} available, {updated} up to date"
    if is_observed(release.deployment) and updated == available == total == replicas:
        return green("rollout", detail)
    return red("rollout", detail, f"`kubectl rollout status {command}`; if it stays, see the pods")


def _scaled_to_zero(release: Release, command: str) -> Check:
    if before := replicas_before(release.deployment):
        again = f"wait for it; if it was killed, repeat it, or `kubectl scale {command} --replicas {before}`"
        return red("rollout", "scaled to 0 replicas by `mlflowops restore`", again)
    return red("rollout", "scaled to 0 replicas", f"`kubectl scale {command} --replicas 1`")


def pods(release: Release) -> Check:
    """Check that every pod is Ready and none restarted recently."""
    failed = _failed_pod("pods", release.pods)
    if failed:
        return failed
    if not release.pods:
        describe = f"`kubectl describe -n {release.namespace} deployment/{release.name}`"
        return red("pods", "there is none", describe)
    restarts = sum(status["restartCount"] for pod in release.pods for status in _container_statuses(pod))
    minutes = RECENT_RESTART.seconds // 60
    return green("pods", f"{len(release.pods)} ready, {restarts} restarts, none in the last {minutes} min")


def endpoints(release: Release) -> Check:
    """Check that the Service has a ready endpoint. On a dual-stack cluster a pod has one of each family."""
    ready = {_pod_of(each) for each in release.endpoints if each.get("conditions", {}).get("ready")}
    service = f"service/{release.name}"
    if ready:
        return green("endpoints", f"{service} has {len(ready)} ready")
    fix = f"see the pods; `kubectl describe -n {release.namespace} {service}`"
    return red("endpoints", f"{service} has no ready pod", fix)


def _pod_of(endpoint: Json) -> str:
    """Return what identifies the pod of an endpoint."""
    return str(endpoint.get("targetRef", {}).get("uid") or endpoint.get("addresses"))


def jobs(release: Release, reader: Reader) -> Iterator[Check]:
    """Check that a pod runs background jobs, if the server accepts them."""
    if "MLFLOW_SERVER_JOB_EXECUTION_ENGINE" not in release.env:
        return
    runners = reader.pods({**release.labels, "app.kubernetes.io/component": "jobs"})
    if runners:
        yield _failed_pod("jobs", runners) or green("jobs", f"{runners[0]['metadata']['name']} runs them")
    else:
        command = f"`kubectl describe -n {release.namespace} deployment/{release.name}-jobs`"
        yield red("jobs", "the server takes background jobs, and no pod runs them", command)


def _failed_pod(name: str, pods: list[Json]) -> Check | None:
    """Return the check of the first pod with a problem."""
    for pod in pods:
        problem = _pod_problem(pod)
        if problem:
            where = {"namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"]}
            return red(name, f"{where['pod']}: {problem[1]}", FIXES.get(problem[0], ANY_FIX).format(**where))
    return None


def _container_statuses(pod: Json) -> list[Json]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _pod_problem(pod: Json) -> tuple[str, str] | None:
    """Return the problem of a pod as (reason of Kubernetes, message), or None."""
    scheduled, ready = condition(pod, "PodScheduled"), condition(pod, "Ready")
    if scheduled.get("status") == "False":
        return scheduled.get("reason", ""), f"{scheduled.get('reason')}: {scheduled.get('message')}"
    for status in _container_statuses(pod):
        problem = _container_problem(status)
        if problem:
            return problem
    if ready.get("status") != "True":
        return "NotReady", f"not ready: {ready.get('message') or ready.get('reason') or 'just made'}"
    return None


def _container_problem(status: Json) -> tuple[str, str] | None:
    waiting, last = status["state"].get("waiting"), status.get("lastState", {}).get("terminated")
    last_exit = ""
    if last:
        last_exit = f", exit {last['exitCode']}: {(last.get('message') or last.get('reason') or '').strip()}"
    if waiting and waiting.get("reason") not in STARTING:
        reason = waiting.get("reason", "")
        return reason, f"{status['name']}: {reason} {waiting.get('message', '')}{last_exit}"
    if last and datetime.now(timezone.utc) - parse_time(last["finishedAt"]) < RECENT_RESTART:
        return "CrashLoopBackOff", f"{status['name']} restarted at {last['finishedAt']}{last_exit}"
    return None
