"""What the health check makes of Kubernetes' answers; tests/e2e asks a real one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes import client
from mlflowops.health import pods, schema
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader
from mlflowops.restore import REPLICAS

READY = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]
RUNNING = {"name": "mlflow", "restartCount": 0, "state": {"running": {}}, "lastState": {}}


def ago(**much: float) -> str:
    return (datetime.now(UTC) - timedelta(**much)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(*statuses: Json, conditions: list[Json] = READY, **more: Any) -> Json:
    status = {"conditions": conditions, "containerStatuses": list(statuses or [RUNNING]), **more}
    return {"metadata": {"name": "mlflow-1", "namespace": "ml"}, "status": status}


def release(*found: Json, endpoints: int = 1, env: list[Json] | None = None, **status: int) -> Release:
    template = {"spec": {"containers": [{"name": "mlflow", "env": env or []}]}}
    counts = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 3}
    deployment = {
        "metadata": {"name": "mlflow", "namespace": "ml", "generation": 3},
        "spec": {"replicas": status.pop("wanted", 2), "template": template},
        "status": {**counts, **status},
    }
    return Release(
        deployment, list(found), [endpoint(f"10.0.0.{each}", f"pod-{each}") for each in range(endpoints)]
    )


def waiting(reason: str, message: str = "") -> Json:
    return {**RUNNING, "state": {"waiting": {"reason": reason, "message": message}}}


def ended(when: str, exit_code: int = 1, **more: str) -> Json:
    last = {"terminated": {"exitCode": exit_code, "finishedAt": when, **more}}
    return {**RUNNING, "restartCount": 1, "lastState": last}


def test_a_finished_rollout() -> None:
    assert pods.rollout(release()).status == "ok"


@pytest.mark.parametrize(
    "unfinished",
    [
        {"availableReplicas": 1},
        {"updatedReplicas": 1},
        {"replicas": 3},  # an old pod is still there
        {"observedGeneration": 2},  # the change has not been looked at
    ],
)
def test_an_unfinished_rollout(unfinished: dict[str, int]) -> None:
    check = pods.rollout(release(**unfinished))
    assert check.status == "red"
    assert "kubectl rollout status -n ml deployment/mlflow" in check.fix


def test_scaled_to_nothing() -> None:
    check = pods.rollout(release(wanted=0))
    assert (check.status, check.detail) == ("red", "scaled to 0 replicas")


def test_scaled_to_nothing_by_a_restore() -> None:
    restored = release(wanted=0)
    restored.deployment["metadata"]["annotations"] = {REPLICAS: "2"}
    check = pods.rollout(restored)
    assert (check.status, check.detail) == ("red", "scaled to 0 replicas by `mlflowops restore`")
    assert "kubectl scale -n ml deployment/mlflow --replicas 2" in check.fix


def test_ready_pods() -> None:
    check = pods.pods(release(pod(), pod(ended(ago(hours=3)))))
    assert check.status == "ok"
    assert check.detail == "2 ready, 1 restarts, none in the last 10 min"


ENGINE = "MLFLOW_SERVER_JOB_EXECUTION_ENGINE"
UNREADY = [{"type": "Ready", "status": "False", "message": "containers with unready status"}]
HOMELESS = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2"}]


@pytest.mark.parametrize(
    ("trouble", "detail", "fix"),
    [
        (pod(waiting("CrashLoopBackOff")), "mlflow: CrashLoopBackOff", "--previous"),
        (pod(waiting("ErrImageNeverPull")), "ErrImageNeverPull", "load the image"),
        (pod(waiting("ImagePullBackOff", "no such host")), "no such host", "image.registry"),
        (pod(waiting("CreateContainerConfigError", "no secret x")), "no secret x", "create the Secret"),
        (pod(waiting("SomethingNew")), "SomethingNew", "kubectl describe pod -n ml mlflow-1"),
        (pod(conditions=UNREADY), "not ready: containers with unready status", "kubectl describe pod"),
        (pod(conditions=HOMELESS), "Unschedulable: 0/2", "resources.requests"),
    ],
)
def test_a_pod_in_trouble(trouble: Json, detail: str, fix: str) -> None:
    check = pods.pods(release(pod(), trouble))
    assert check.status == "red"
    assert detail in check.detail
    assert fix in check.fix


def test_a_recent_restart_is_trouble() -> None:
    """Not a case above: those are made when pytest collects, long before a slow machine runs them."""
    test_a_pod_in_trouble(
        pod(ended(ago(minutes=2), 137, reason="OOMKilled")), "exit 137: OOMKilled", "logs -n ml mlflow-1"
    )


class Runners:
    """The pods that run background jobs."""

    def __init__(self, *found: Json) -> None:
        self.found = list(found)

    def pods(self, labels: Json) -> list[Json]:
        assert labels == {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": "jobs"}
        return self.found


@pytest.mark.parametrize(
    ("engine", "runners", "said"),
    [
        ([], [], []),
        ([{"name": ENGINE, "value": "executor"}], [pod()], [("ok", "mlflow-1 runs them")]),
        (
            [{"name": ENGINE, "value": "executor"}],
            [pod(conditions=UNREADY)],
            [("red", "mlflow-1: not ready")],
        ),
        ([{"name": ENGINE, "value": "executor"}], [], [("red", "the server takes background jobs, and no")]),
    ],
)
def test_whoever_takes_jobs_needs_a_runner(engine: list[Json], runners: list[Json], said: list[Any]) -> None:
    found = release(pod(), env=engine)
    labels = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": "server"}
    found.deployment["spec"]["selector"] = {"matchLabels": labels}
    checks = list(pods.jobs(found, Runners(*runners)))  # type: ignore[arg-type]
    assert [
        (check.status, check.detail[: len(words)]) for check, (_, words) in zip(checks, said, strict=True)
    ] == said


def test_an_init_container_in_trouble_speaks_first() -> None:
    stuck = waiting("CrashLoopBackOff") | {"name": "schema"}
    found = pod(waiting("PodInitializing"), conditions=[], initContainerStatuses=[stuck])
    assert "schema: CrashLoopBackOff" in pods.pods(release(found)).detail


def test_a_starting_pod_is_not_ready_yet() -> None:
    found = pod(waiting("ContainerCreating"), conditions=[])
    assert pods.pods(release(found)).detail == "mlflow-1: not ready: just made"


def test_no_pods() -> None:
    assert pods.pods(release()).detail == "there is none"


def test_endpoints() -> None:
    assert pods.endpoints(release(endpoints=2)).detail == "service/mlflow has 2 ready"
    assert pods.endpoints(release(endpoints=0)).status == "red"


def endpoint(address: str, pod: str, ready: bool = True) -> Json:
    target = {"kind": "Pod", "name": pod, "uid": f"uid-of-{pod}"}
    return {"addresses": [address], "conditions": {"ready": ready}, "targetRef": target}


def test_a_pod_with_an_address_of_each_family_counts_once() -> None:
    """Dual-stack: the Service has an EndpointSlice of IPv4 and one of IPv6."""
    both = [
        endpoint("10.0.0.7", "a"),
        endpoint("2001:db8::7", "a"),
        endpoint("2001:db8::8", "b", ready=False),
    ]
    found = release()
    assert pods.endpoints(replace(found, endpoints=both)).detail == "service/mlflow has 1 ready"
    both.append(endpoint("2001:db8::9", "c"))
    assert pods.endpoints(replace(found, endpoints=both)).detail == "service/mlflow has 2 ready"
    others = [{"addresses": [each], "conditions": {"ready": True}} for each in ("2001:db8::7", "2001:db8::8")]
    assert pods.endpoints(replace(found, endpoints=others)).detail == "service/mlflow has 2 ready"


def test_the_path_of_the_server() -> None:
    assert release().path == ""
    assert release(env=[{"name": "MLFLOW_STATIC_PREFIX", "value": "/ml"}]).path == "/ml"


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        ('{"found": "a1", "wanted": "a1", "known": true}', "ok", "revision a1"),
        ('{"found": "a0", "wanted": "a1", "known": true}', "red", "is at a0, the image needs a1"),
        ('{"found": null, "wanted": "a1", "known": false}', "red", "is at no schema"),
        (
            '{"found": "b2", "wanted": "a1", "known": false}',
            "red",
            "which the image (newest a1) does not know",
        ),
        (
            "Traceback ... Unreachable: refused",
            "red",
            "the pod's check failed: Traceback ... Unreachable: refused",
        ),
        ("", "red", "no answer"),
    ],
)
def test_what_a_pod_says_about_the_schema(answer: str, status: str, detail: str) -> None:
    check = schema.evaluate(answer, "`kubectl rollout restart`")
    assert check.status == status
    assert detail in check.detail
    assert bool(check.fix) is (status == "red")


def test_without_a_ready_pod_the_schema_is_unknown() -> None:
    assert schema.schema(release(pod(conditions=[])), Reader(client.ApiClient(), "ml")).status == "unknown"
