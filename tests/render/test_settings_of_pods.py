"""Which setting reaches which container of the release: `yes`, or the reason why not."""

from collections.abc import Callable
from typing import Any

import pytest
from sweep import sweep

from render.chart import KEYS, MLFLOW, Json, merged, postgres, s3

BACKUP = {"enabled": True, "drill": {"enabled": True}, "beforeMigration": True}
# Each pod, and in mode direct the pod of `helm test` as a client with an environment of its own.
EVERY: Json = {
    **postgres(cleanupRunsEnabled=True),
    **s3(path="artifacts"),
    **KEYS,
    "jobs": {"enabled": True},
    "backup": BACKUP,
}
DIRECT: Json = {**EVERY, "artifactStore": {**s3(path="artifacts")["artifactStore"], "mode": "direct"}}

CONTAINERS = {
    "server": ("Deployment/mlflow", "mlflow"),
    "migration": ("Deployment/mlflow", "schema"),
    "migration of jobs": ("Deployment/mlflow-jobs", "schema"),
    "metrics": ("Deployment/mlflow", "metrics"),
    "jobs": ("Deployment/mlflow-jobs", "jobs"),
    "exporter": ("Deployment/mlflow-exporter", "exporter"),
    "retention": ("CronJob/mlflow-retention", "retention"),
    "backup": ("CronJob/mlflow-backup", "backup"),
    "restore": ("CronJob/mlflow-restore", "restore"),
    "drill": ("CronJob/mlflow-drill", "drill"),
    "postgres": ("CronJob/mlflow-backup", "postgres"),
    "test": ("Pod/mlflow-test", "smoke"),
    "direct test": ("Pod/mlflow-test", "smoke"),
}
PROXY = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".svc"}
CA: Json = {
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
}
TASKS: Json = {"tasks": {"podLabels": {"tier": "ml"}, "podAnnotations": {"note": "x"}}}
POD: Json = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "ml", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "imagePullSecrets": [{"name": "login"}],
    "priorityClassName": "high",
    "schedulerName": "volcano",
    "runtimeClassName": "gvisor",
    "dnsPolicy": "Default",
    "dnsConfig": {"searches": ["corp"]},
    "hostAliases": [{"ip": "10.0.0.5", "hostnames": ["db"]}],
}

# A setting: what to set, and what a container or its pod shows then.
Shows = Callable[[Json, Json], bool]


def of_pod(check: Callable[[Json], bool]) -> Shows:
    return lambda pod, _: check(pod)


def of_container(check: Callable[[Json], bool]) -> Shows:
    return lambda _, container: check(container)


def env(*names: str) -> Shows:
    return of_container(lambda one: set(names) <= {each["name"] for each in one.get("env", [])})


def field(key: str, value: Any) -> Shows:
    return of_pod(lambda pod: pod["spec"].get(key) == value)


SETTINGS: dict[str, tuple[Json, Shows]] = {
    **{key: ({key: value}, field(key, value)) for key, value in POD.items()},
    "commonLabels": (
        {"commonLabels": {"team": "a"}},
        of_pod(lambda pod: pod["metadata"]["labels"].get("team") == "a"),
    ),
    "podLabels": (
        {"podLabels": {"tier": "web"}},
        of_pod(lambda pod: pod["metadata"]["labels"].get("tier") == "web"),
    ),
    "podAnnotations": (
        {"podAnnotations": {"note": "y"}},
        of_pod(lambda pod: pod["metadata"].get("annotations", {}).get("note") == "y"),
    ),
    "tasks": (
        TASKS,
        of_pod(
            lambda pod: (
                pod["metadata"]["labels"].get("tier") == "ml"
                and pod["metadata"].get("annotations", {}).get("note") == "x"
            )
        ),
    ),
    "podSecurityContext": (
        {"podSecurityContext": {"runAsUser": 777}},
        of_pod(lambda pod: pod["spec"]["securityContext"]["runAsUser"] == 777),
    ),
    "containerSecurityContext": (
        {"containerSecurityContext": {"procMount": "Default"}},
        of_container(lambda one: one["securityContext"].get("procMount") == "Default"),
    ),
    "mlflow.env (proxy)": ({"mlflow": {"env": PROXY}}, env(*PROXY)),
    "mlflow.env (PG*)": ({"mlflow": {"env": {"PGOPTIONS": "-c x=y"}}}, env("PGOPTIONS")),
    "mlflow.env (valueFrom)": (
        {"mlflow": {"env": {"NODE": {"valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}}}},
        env("NODE"),
    ),
    "mlflow.envFrom": (
        {"mlflow": {"envFrom": [{"configMapRef": {"name": "more"}}]}},
        of_container(lambda one: one.get("envFrom") == [{"configMapRef": {"name": "more"}}]),
    ),
    "extraVolumes": (
        CA,
        of_container(lambda one: "ca" in {each["name"] for each in one["volumeMounts"]}),
    ),
    "extraInitContainers": (
        {"extraInitContainers": [{"name": "proxy", "image": "proxy"}]},
        of_pod(lambda pod: "proxy" in {each["name"] for each in pod["spec"].get("initContainers", [])}),
    ),
    "serviceAccount": (
        {"serviceAccount": {"name": "own"}},
        of_pod(lambda pod: pod["spec"]["serviceAccountName"] == "own"),
    ),
    **{
        f"{key}.resources": (
            {key: {"resources": {"limits": {"cpu": "777m"}}}},
            of_container(lambda one: one["resources"]["limits"].get("cpu") == "777m"),
        )
        for key in ("mlflow", "jobs", "metrics", "retention", "backup", "test")
    },
}

ENDS = "tasks.podLabels and tasks.podAnnotations are for pods that end"
STAYS = "podLabels and podAnnotations are for pods that stay"
COUNTS = "adds up what the workers count, and reaches no store"
LIBPQ = "runs PostgreSQL's programs, which know the database and no more"
CLIENT = "reaches the server and nothing else"
OTHERS = "has resources of its own"


def reasons(names: str, reason: str) -> dict[str, str]:
    return dict.fromkeys(names.split(", "), reason)


FINITE = "retention, backup, restore, drill, postgres, test, direct test"
LASTING = "server, migration, migration of jobs, metrics, jobs, exporter"
NOT_A_STORE = reasons("metrics", COUNTS) | reasons("postgres", LIBPQ) | reasons("test", CLIENT)
RESOURCES = {
    "mlflow": "server, migration, migration of jobs",
    "jobs": "jobs",
    "metrics": "metrics, exporter",
    "retention": "retention",
    "backup": "backup, restore, drill, postgres",
    "test": "test, direct test",
}
# Where a setting does not reach a container, and why; everywhere else it does.
NOT: dict[str, dict[str, str]] = {
    "podLabels": reasons(FINITE, ENDS),
    "podAnnotations": reasons(FINITE, ENDS),
    "tasks": reasons(LASTING, STAYS),
    "mlflow.env (proxy)": NOT_A_STORE,
    "mlflow.env (valueFrom)": NOT_A_STORE,
    "mlflow.env (PG*)": reasons("metrics", COUNTS)
    | reasons("test", CLIENT)
    | reasons("postgres", "the Python beside it hands them on (tests/runtime/test_backup.py)"),
    "mlflow.envFrom": NOT_A_STORE,
    "extraVolumes": reasons("metrics", COUNTS) | reasons("test", CLIENT),
    "extraInitContainers": reasons("test, direct test", CLIENT),
    **{
        f"{key}.resources": reasons(
            ", ".join(name for name in CONTAINERS if name not in own.split(", ")), OTHERS
        )
        for key, own in RESOURCES.items()
    },
}


def cells(setting: str) -> dict[str, bool]:
    """Whether the setting reaches each container."""
    values, shows = SETTINGS[setting]
    found = {}
    for name, (owner, container_name) in CONTAINERS.items():
        pods = dict(MLFLOW.render(merged(DIRECT if name == "direct test" else EVERY, values)).pods())
        spec = pods[owner]["spec"]
        each = [*spec.get("initContainers", []), *spec["containers"]]
        (container,) = [one for one in each if one["name"] == container_name]
        found[name] = shows(pods[owner], container)
    return found


@pytest.mark.parametrize("setting", sweep(SETTINGS, 4))
def test_a_setting_reaches_each_container_or_says_why_not(setting: str) -> None:
    assert cells(setting) == {name: name not in NOT.get(setting, {}) for name in CONTAINERS}


def test_every_container_is_in_the_table() -> None:
    """A pod that a later version adds is decided about; that of the server has PostgreSQL's programs too."""
    found = {
        (owner, each["name"])
        for owner, pod in MLFLOW.render(EVERY).pods()
        for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
        if each["name"] != "postgres"
    }
    assert found == {place for name, place in CONTAINERS.items() if name != "postgres"}


def test_no_reason_is_left_over() -> None:
    assert NOT.keys() <= SETTINGS.keys()
    assert all(names.keys() <= CONTAINERS.keys() for names in NOT.values())
