"""The CronJobs: when there is one, what it is told, and how every one of them behaves."""

from typing import Any

import pytest

from render.chart import INIT, MLFLOW, PYTHON, Chart, Json, Manifest, postgres, s3
from render.expansion import containers

RETENTION = {**postgres(cleanupRunsEnabled=True), **s3()}
DRILL = {"backup": {"enabled": True, "drill": {"enabled": True}}}
BACKUP = {**postgres(), **s3(path="artifacts"), **DRILL}
TASKS = {"retention": RETENTION, "backup": BACKUP, "restore": BACKUP, "drill": BACKUP}


def job(manifest: Manifest, task: str) -> Json:
    """What Kubernetes makes when the time has come."""
    return manifest.component("CronJob", task)["spec"]["jobTemplate"]["spec"]


def box(manifest: Manifest, task: str, container: str | None = None) -> Json:
    """A container of the task; the one of its own name, unless another is asked for."""
    containers = job(manifest, task)["template"]["spec"]["containers"]
    (found,) = [each for each in containers if each["name"] == (container or task)]
    return found


@pytest.mark.parametrize("on", [True, False])
def test_retention_follows_its_switch(chart: Chart, on: bool) -> None:
    manifest = chart.render({**postgres(cleanupRunsEnabled=on, cleanupRunsDays=30), **s3()})
    assert ("CronJob/mlflow-retention" in manifest.names()) is on
    if on:
        assert box(manifest, "retention")["command"] == [
            *PYTHON, "retention", "--days=30", "--grace-days=7",
            "--keep-tag=keep", "--batch-size=500", "--seconds=14400",
        ]  # fmt: skip


def test_retention_of_what_people_deleted_knows_no_age(chart: Chart) -> None:
    manifest = chart.render({**postgres(cleanupRunsDays=30), **s3(), "retention": {"enabled": True}})
    assert [word for word in box(manifest, "retention")["command"] if "days" in word] == ["--grace-days=7"]
    assert manifest.env()["MLFLOW_KUBERNETES_TASKS"] == "retention=180000"


def test_retention_of_traces(chart: Chart) -> None:
    manifest = chart.render({**RETENTION, "retention": {"traces": {"days": 0.5}}})
    assert "--traces-days=0.5" in box(manifest, "retention")["command"]


def test_retention_sees_the_stores_as_the_server_does(chart: Chart) -> None:
    """Artifacts are removed in the store itself: no host rule and no login of the server is in the way."""
    manifest = chart.render({**RETENTION, "mlflow": {"envFrom": [{"secretRef": {"name": "keys"}}]}})
    server, task = manifest.container(), box(manifest, "retention")
    assert (task["env"], task["envFrom"], task["image"]) == (
        server["env"],
        server["envFrom"],
        server["image"],
    )
    assert not [entry for entry in task["env"] if entry["name"] == "MLFLOW_TRACKING_URI"]


def test_retention_on_a_shared_volume_mounts_it(chart: Chart) -> None:
    shared = {"persistence": {"accessModes": ["ReadWriteMany"]}}
    manifest = chart.render({**postgres(cleanupRunsEnabled=True), **shared})
    assert {"name": "data", "mountPath": "/mlflow"} in box(manifest, "retention")["volumeMounts"]


@pytest.mark.parametrize("task", TASKS)
def test_cronjob(task: str) -> None:
    """One at a time, bounded, with a history, and found by what selects the pods of the release."""
    manifest = MLFLOW.render(TASKS[task])
    spec, made = manifest.component("CronJob", task)["spec"], job(manifest, task)
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["successfulJobsHistoryLimit"] >= 1 and spec["failedJobsHistoryLimit"] >= 1
    assert spec["startingDeadlineSeconds"] < 86400
    assert made["activeDeadlineSeconds"] > 0
    assert made["template"]["spec"]["restartPolicy"] == "Never"
    labels = made["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "mlflow"
    assert labels["app.kubernetes.io/component"] == task
    assert "app" not in labels, "`kubectl get pods -l app=mlflow` lists servers"


@pytest.mark.parametrize("task", TASKS)
def test_a_cronjobs_name_leaves_room_for_its_jobs(task: str) -> None:
    manifest = MLFLOW.render(TASKS[task], release="r" * 53)
    assert len(manifest.component("CronJob", task)["metadata"]["name"]) <= 52


def test_the_exporter_knows_what_to_expect(chart: Chart) -> None:
    def tasks(values: Json) -> Any:
        return chart.render(values).env().get("MLFLOW_KUBERNETES_TASKS")

    assert tasks({**postgres(), **s3()}) is None
    assert tasks(RETENTION) == "retention=180000"
    assert tasks(BACKUP) == "backup=108000 drill=720000"


@pytest.mark.parametrize(
    ("values", "made"),
    [
        ({}, []),
        ({"backup": {"enabled": True}}, ["backup", "restore"]),
        (DRILL, ["backup", "drill", "restore"]),
    ],
    ids=["off", "backup", "drill"],
)
def test_backup_follows_its_switches(chart: Chart, values: Json, made: list[str]) -> None:
    names = chart.render({**postgres(), **s3(path="artifacts"), **values}).names()
    assert [name for name in names if "CronJob" in name] == [f"CronJob/mlflow-{each}" for each in made]


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("backup", ["--destination=s3://models/backups/ml/mlflow", "--keep=7", "--keep-days=30"]),
        ("restore", ["--source=s3://models/backups/ml/mlflow"]),
        ("drill", ["--source=s3://models/backups/ml/mlflow", "--scratch=mlflow_drill"]),
    ],
)
def test_what_a_backup_task_is_told(chart: Chart, task: str, told: list[str]) -> None:
    program = {"drill": "restore"}.get(task, task)
    assert box(chart.render(BACKUP), task)["command"] == [
        *PYTHON, program, "--exchange=/exchange", *told, "--seconds=21600",
    ]  # fmt: skip


@pytest.mark.parametrize("task", ["backup", "restore", "drill"])
def test_postgresqls_programs_know_the_database_only(chart: Chart, task: str) -> None:
    """Not the object store's keys; and the folder of the Python module that opens the database."""
    keys = {"credentialsFromSecret": {"enabled": True}}
    values = {**postgres(sslMode="require"), **s3(path="artifacts", **keys), **DRILL}
    manifest = chart.render({**values, "mlflow": {"envFrom": [{"secretRef": {"name": "keys"}}]}})
    programs, python = box(manifest, task, "postgres"), box(manifest, task)
    assert programs["command"] == [*INIT, "/bin/sh", "/opt/mlflow-kubernetes/postgres.sh", "/exchange"]
    assert programs["image"] == "docker.io/library/postgres:18"
    assert programs["env"] == [{"name": "HOME", "value": "/tmp"}] and "envFrom" not in programs
    for container in (programs, python):
        assert {"name": "exchange", "mountPath": "/exchange"} in container["volumeMounts"]
    env = {entry["name"]: entry.get("value") for entry in python["env"]}
    assert {"AWS_ACCESS_KEY_ID", "PGPASSWORD"} <= set(env) and env["PGSSLMODE"] == "require"


def test_env_from_does_not_lead_to_another_database(chart: Chart) -> None:
    """Kubernetes lets `env` win over `envFrom`: each container that opens the database says where it is."""
    values = {**postgres(cleanupRunsEnabled=True), **s3(path="a"), **DRILL, "metrics": {"enabled": True}}
    source = {"configMapRef": {"name": "libpq"}}
    manifest = chart.render({**values, "jobs": {"enabled": True}, "mlflow": {"envFrom": [source]}})
    found = [
        each for item in manifest.objects for each in containers(item) if source in each.get("envFrom", [])
    ]
    assert {each["name"] for each in found} >= {"mlflow", "schema", "jobs", "exporter", "retention", "backup"}
    where = {
        "PGHOST",
        "PGPORT",
        "PGDATABASE",
        "PGUSER",
        "PGPASSWORD",
        "PGSSLMODE",
        "MLFLOW_BACKEND_STORE_URI",
    }
    for container in found:
        assert where <= {entry["name"] for entry in container["env"]}, container["name"]


def test_the_programs_verify_the_server_too(chart: Chart) -> None:
    """The file that PGSSLROOTCERT names is in both containers."""
    ca = {"enabled": True, "name": "ca"}
    values = {**postgres(sslMode="verify-full", sslRootCertFromSecret=ca), **s3(path="a"), **DRILL}
    manifest = chart.render(values)
    for container in (box(manifest, "backup"), box(manifest, "backup", "postgres")):
        assert "/etc/mlflow/postgres" in [mount["mountPath"] for mount in container["volumeMounts"]]
    own = {"name": "ca", "mountPath": "/etc/ca.crt"}
    values |= {"extraVolumes": [{"name": "ca", "emptyDir": {}}], "extraVolumeMounts": [own]}
    assert own in box(chart.render(values), "backup", "postgres")["volumeMounts"]


def test_restore_never_begins_by_itself(chart: Chart) -> None:
    assert chart.render(BACKUP).component("CronJob", "restore")["spec"]["suspend"] is True


@pytest.mark.parametrize("component", ["server", "jobs"])
@pytest.mark.parametrize("on", [True, False])
def test_the_schema_step_backs_up_as_the_backup_does(chart: Chart, component: str, on: bool) -> None:
    """Whichever of the two pods migrates. PostgreSQL's programs start before it and have no key of S3."""
    backup = {"backup": {"enabled": True, "beforeMigration": on, "keep": 3}}
    manifest = chart.render({**BACKUP, **backup, "jobs": {"enabled": True}})
    pod = manifest.component("Deployment", component)["spec"]["template"]["spec"]
    *programs, schema = pod["initContainers"]
    assert sorted(schema["command"][5:]) == (sorted(box(manifest, "backup")["command"][5:]) if on else [])
    assert ("exchange" in [volume["name"] for volume in pod["volumes"]]) is on
    assert len(programs) == on
    if not on:
        return
    (stays,) = programs
    assert (stays["restartPolicy"], stays["command"][-1]) == ("Always", "stay")
    assert stays["env"] == box(manifest, "backup", "postgres")["env"] == [{"name": "HOME", "value": "/tmp"}]
    assert stays["resources"] == {
        "requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "1Gi"}
    }  # fmt: skip


def test_labels_and_annotations_of_finite_pods(chart: Chart) -> None:
    """A mesh's proxy in such a pod would run on when the work is done; the servers keep theirs."""
    annotation, label = {"linkerd.io/inject": "disabled"}, {"sidecar.istio.io/inject": "false"}
    both = {**postgres(cleanupRunsEnabled=True), **s3(path="artifacts"), **DRILL}
    manifest = chart.render({**both, "tasks": {"podAnnotations": annotation, "podLabels": label}})
    given = {
        name: (
            label.items() <= pod["metadata"]["labels"].items(),
            annotation.items() <= pod["metadata"].get("annotations", {}).items(),
        )
        for name, pod in manifest.pods()
    }
    tasks = {name for name in given if name.startswith(("CronJob/", "Pod/"))}
    assert len(tasks) == 5
    assert {name for name, has in given.items() if has == (True, True)} == tasks
    assert {name for name, has in given.items() if any(has)} == tasks


def server(manifest: Manifest) -> Json:
    """The pod of the server."""
    return manifest.component("Deployment", "server")["spec"]["template"]["spec"]


VOLUME = {"backup": {"enabled": True, "store": "s3", "bucket": "backups", "drill": {"enabled": True}}}
HOLDERS = {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": {
        "matchLabels": {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": "mlflow"},
        "matchExpressions": [
            {
                "key": "app.kubernetes.io/component",
                "operator": "In",
                "values": ["server", "backup", "restore", "drill"],
            }
        ],
    },
}


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (
            "backup",
            ["volume-backup", "--destination=s3://backups/backups/ml/mlflow", "--keep=7", "--keep-days=30"],
        ),
        ("restore", ["volume-restore", "--source=s3://backups/backups/ml/mlflow"]),
        ("drill", ["volume-restore", "--source=s3://backups/backups/ml/mlflow", "--drill"]),
    ],
)
def test_what_a_backup_of_the_volume_is_told(chart: Chart, task: str, told: list[str]) -> None:
    """It opens the same database as the server, and has no container of PostgreSQL's programs."""
    manifest = chart.render(VOLUME)
    python = box(manifest, task)
    assert python["command"] == [*PYTHON, *told, "--seconds=21600"]
    assert len(job(manifest, task)["template"]["spec"]["containers"]) == 1
    env = {entry["name"]: entry.get("value") for entry in python["env"]}
    assert env["MLFLOW_BACKEND_STORE_URI"] == manifest.env()["MLFLOW_BACKEND_STORE_URI"]
    assert env["MLFLOW_ARTIFACTS_DESTINATION"] == "/mlflow/artifacts"


@pytest.mark.parametrize(
    ("task", "mounts"),
    [
        ("backup", [("/mlflow", True), ("/mlflow/tasks", False)]),
        ("restore", [("/mlflow", False)]),
        ("drill", [("/mlflow/tasks", False)]),
    ],
)
def test_what_a_task_may_do_with_the_volume(chart: Chart, task: str, mounts: list[tuple[str, bool]]) -> None:
    found = [each for each in box(chart.render(VOLUME), task)["volumeMounts"] if each["name"] == "data"]
    assert [(each["mountPath"], each.get("readOnly", False)) for each in found] == mounts
    assert all(each.get("subPath") == "tasks" for each in found if each["mountPath"] == "/mlflow/tasks")


def required(manifest: Manifest, task: str) -> list[Json]:
    """The terms of affinity to pods that bind the pod of a task to a node."""
    pods = job(manifest, task)["template"]["spec"].get("affinity", {}).get("podAffinity", {})
    return pods.get("requiredDuringSchedulingIgnoredDuringExecution", [])


@pytest.mark.parametrize("task", ["backup", "restore", "drill"])
def test_a_backup_runs_where_the_volume_is(chart: Chart, task: str) -> None:
    """On the node of a pod that has it; their own labels are among those, for when there is none."""
    assert required(chart.render(VOLUME), task) == [HOLDERS]
    labels = job(chart.render(VOLUME), task)["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] in HOLDERS["labelSelector"]["matchExpressions"][0]["values"]
    own = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}
    nodes = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": []}]}}
    given = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [own]}, "nodeAffinity": nodes}
    manifest = chart.render({**VOLUME, "affinity": given})
    assert required(manifest, task) == [own, HOLDERS]
    assert job(manifest, task)["template"]["spec"]["affinity"]["nodeAffinity"] == nodes
    assert server(manifest)["affinity"] == given
    shared = chart.render({**VOLUME, "persistence": {"accessModes": ["ReadWriteMany"]}})
    assert required(shared, task) == [] == required(chart.render(BACKUP), task)


@pytest.mark.parametrize(
    ("backup", "place", "variables"),
    [
        (
            {"store": "s3", "bucket": "backups", "endpoint": "https://s3.example.com", "region": "eu"},
            "s3://backups/backups/ml/mlflow",
            {"MLFLOW_S3_ENDPOINT_URL": "https://s3.example.com", "AWS_DEFAULT_REGION": "eu"},
        ),
        (
            {"store": "azure", "bucket": "backups", "storageAccount": "account"},
            "wasbs://backups@account.blob.core.windows.net/backups/ml/mlflow",
            {},
        ),
        ({"store": "gcs", "bucket": "backups", "path": "here"}, "gs://backups/here", {}),
    ],
    ids=["s3", "azure", "gcs"],
)
def test_where_the_volume_is_backed_up(chart: Chart, backup: Json, place: str, variables: Json) -> None:
    """In any store; the server has neither its address nor its keys."""
    keys = {"credentialsFromSecret": {"enabled": True}}
    manifest = chart.render({"backup": {"enabled": True, **backup, **keys}})
    python = box(manifest, "backup")
    assert f"--destination={place}" in python["command"]
    env = {entry["name"]: entry.get("value") for entry in python["env"]}
    assert variables.items() <= env.items() and not variables.keys() & manifest.env().keys()
    assert "mlflow-backup-secret" in str(job(manifest, "backup"))
    assert "mlflow-backup-secret" not in str(server(manifest))
