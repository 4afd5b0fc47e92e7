"""The Kubernetes layer against an API of this process; tests/e2e uses a real one."""

import pytest
from mlflowops import kube, restore
from mlflowops.backup import cronjobs
from mlflowops.errors import OpsError
from mlflowops.external_secrets import inventory, sync
from mlflowops.health import exec_query
from mlflowops.kube import Json, Reader

from cli.cli import Cli
from cli.kubernetes_api import FakeApi

DEPLOYMENT = "/apis/apps/v1/namespaces/ml/deployments/mlflow"
EXTERNAL = "/apis/external-secrets.io/v1/namespaces/ml/externalsecrets"


@pytest.fixture
def reader(api: FakeApi) -> Reader:
    return Reader(kube.connect(), "ml", 10)


def items(*names: str, **more: object) -> Json:
    return {"items": [{"metadata": {"name": name, **more}} for name in names]}


def test_an_absent_object_is_none_or_an_error(reader: Reader) -> None:
    assert reader.get_if_present("apps/v1", "deployments", "mlflow") is None
    assert reader.list_if_served("autoscaling/v2", "horizontalpodautoscalers") == []
    assert (reader.secret("one"), reader.service("one")) == (None, None)
    assert reader.kinds("external-secrets.io/v1") == set()
    with pytest.raises(kube.ApiError):
        reader.get("apps/v1", "deployments", "mlflow")
    with pytest.raises(kube.ApiError):
        reader.list_all("apps/v1", "deployments")


def test_a_refusal_is_never_taken_for_absence(api: FakeApi, reader: Reader) -> None:
    api.answers |= {DEPLOYMENT: 403, "/api/v1/namespaces/ml/secrets/one": 403}
    for read in (
        lambda: reader.get_if_present("apps/v1", "deployments", "mlflow"),
        lambda: reader.secret("one"),
    ):
        with pytest.raises(OpsError) as refused, kube.api_errors("thing"):
            read()
        assert str(refused.value) == (
            "mlflowops: thing: the Kubernetes API answers 403: status 403; "
            "use an account that may, `kubectl auth can-i --list`."
        )


def test_objects_are_in_the_words_of_the_api(api: FakeApi, reader: Reader) -> None:
    hpa = {
        "metadata": {"name": "mlflow", "creationTimestamp": "2026-05-04T11:00:00Z"},
        "spec": {"maxReplicas": 2},
    }
    api.answers["/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"] = {"items": [hpa]}
    api.answers["/api/v1/namespaces/ml/secrets/one"] = {"metadata": {"name": "one"}, "data": {"key": "dg=="}}
    assert reader.list_if_served("autoscaling/v2", "horizontalpodautoscalers", "a=b") == [hpa]
    assert "labelSelector=a%3Db" in api.queries[-1]
    secret = reader.secret("one")
    assert secret and secret["data"] == {"key": "dg=="}


def test_terminating_pods_are_left_out(api: FakeApi, reader: Reader) -> None:
    pods = items("old", deletionTimestamp="2026-05-04T11:00:00Z")["items"] + items("new")["items"]
    api.answers["/api/v1/namespaces/ml/pods"] = {"items": pods}
    assert [pod["metadata"]["name"] for pod in reader.pods({"a": "b", "c": "d"})] == ["new"]
    assert "labelSelector=a%3Db%2Cc%3Dd" in api.queries[-1]
    assert len(reader.list_pods("job-name=x", "status.phase=Running")) == 2
    assert "fieldSelector=status.phase%3DRunning" in api.queries[-1]


def test_waiting_ends_with_the_result_or_the_time() -> None:
    results = iter(["", "", "done", "never read"])
    assert kube.wait_until(lambda: next(results), interval=0) == "done"
    calls: list[int] = []
    assert kube.wait_until(lambda: calls.append(1), seconds=-1) is None
    assert calls == [1]


class Scalable:
    """A Deployment that has as many pods as its scale was set to, a request later."""

    def __init__(self, api: FakeApi, follows: bool = True, replicas: int = 2, **annotations: str) -> None:
        self.api, self.follows, self.replicas, self.wanted = api, follows, replicas, replicas
        self.annotations = annotations

    def __call__(self) -> Json:
        found = {
            "metadata": {"name": "mlflow", "generation": 3, "annotations": self.annotations},
            "spec": {"replicas": self.wanted},
            "status": {"observedGeneration": 3, "replicas": self.replicas, "readyReplicas": self.replicas},
        }
        scales = [body["spec"]["replicas"] for _, path, body in self.api.writes if path.endswith("/scale")]
        if scales and self.follows:
            self.replicas = scales[-1]
        return found


def test_scaled_to_zero_and_back_even_after_an_error(
    api: FakeApi, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    deployment = Scalable(api)
    api.answers[DEPLOYMENT] = deployment

    def fail() -> None:
        with restore.scaled_to_zero(reader, "mlflow"):
            assert deployment.replicas == 0
            raise ValueError("in the block")

    with pytest.raises(ValueError, match="in the block"):
        fail()
    assert api.writes == [note("2"), scaled(0), scaled(2), note(None)]


def scaled(replicas: int) -> tuple[str, str, Json]:
    return "PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": replicas}}


def note(replicas: str | None) -> tuple[str, str, Json]:
    return "PATCH", DEPLOYMENT, {"metadata": {"annotations": {restore.REPLICAS: replicas}}}


def test_a_restore_after_a_killed_one_scales_to_the_replicas_before_that(
    api: FakeApi, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    api.answers[DEPLOYMENT] = Scalable(api, True, 0, **{restore.REPLICAS: "3"})
    with restore.scaled_to_zero(reader, "mlflow"):
        pass
    assert api.writes == [note("3"), scaled(0), scaled(3), note(None)]


def test_a_deployment_that_does_not_scale(api: FakeApi, reader: Reader) -> None:
    api.answers[DEPLOYMENT] = Scalable(api, follows=False)
    with pytest.raises(OpsError) as failed:
        kube.scale(reader, "mlflow", 0, seconds=-1)
    assert str(failed.value) == (
        "mlflowops: deployment/mlflow: has not come to 0 pods in -1 s; "
        "`kubectl describe pods -n ml -l app=mlflow`."
    )
    assert failed.value.exit_code == 1


def test_secrets_are_created_once(api: FakeApi, cli: Cli) -> None:
    answer = cli("secrets", "ensure", "--namespace", "ml")
    assert (answer.code, answer.out.count("created"), answer.out.count("kept")) == (0, 3, 0)
    methods = [(method, path) for method, path, _ in api.writes]
    assert methods == [("POST", "/api/v1/namespaces"), *[("POST", "/api/v1/namespaces/ml/secrets")] * 3]
    api.status = {"/api/v1/namespaces": 409, "/api/v1/namespaces/ml/secrets": 409}
    answer = cli("secrets", "ensure", "--namespace", "ml")
    assert (answer.code, answer.out.count("created"), answer.out.count("kept")) == (0, 0, 3)


POD = {"containers": [{"name": "backup", "command": ["run"]}]}
CRON_JOB = {
    "metadata": {"name": "mlflow-backup", "uid": "u1"},
    "spec": {
        "jobTemplate": {
            "spec": {"template": {"spec": {"containers": [{"name": "backup", "command": ["run"]}]}}}
        }
    },
}


def job_ends(api: FakeApi, kind: str) -> None:
    """The CronJob exists, and its Job ends; the log has two lines."""
    api.answers["/apis/batch/v1/namespaces/ml/cronjobs/mlflow-backup"] = CRON_JOB
    api.answers["/api/v1/namespaces/ml/pods"] = items("pod-1")
    api.answers["/api/v1/namespaces/ml/pods/pod-1/log"] = "one\ntwo.\n"

    class AnyJob(dict[str, object]):
        def get(self, path: str, default: object = None) -> object:
            if path.startswith("/apis/batch/v1/namespaces/ml/jobs/"):
                return {"status": {"conditions": [{"type": kind, "status": "True"}]}}
            return super().get(path, default)

    api.answers = AnyJob(api.answers)  # type: ignore[assignment]


def test_a_job_of_a_cronjob(api: FakeApi, cli: Cli) -> None:
    job_ends(api, "Complete")
    answer = cli("backup", "now", "--namespace", "ml")
    assert (answer.code, "one two." in answer.err) == (0, True)
    ((method, path, job),) = api.writes
    assert (method, path) == ("POST", "/apis/batch/v1/namespaces/ml/jobs")
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "mlflow-backup", "uid": "u1"}
    assert job["metadata"]["ownerReferences"] == [owner]
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == ["run"]


def test_a_job_that_fails(api: FakeApi, cli: Cli) -> None:
    job_ends(api, "Failed")
    answer = cli("backup", "now", "--namespace", "ml")
    assert answer.code == 1
    assert ": two; `kubectl logs -n ml job/mlflow-backup-" in answer.err


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_ends_the_job(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    job_ends(api, "Running")
    jobs = cronjobs.connect("ml", "mlflow", None)

    def interrupted(_seconds: float) -> None:
        api.answers = dict(api.answers)  # from now on there is no Job
        raise interruption

    monkeypatch.setattr("time.sleep", interrupted)
    with pytest.raises(interruption):
        jobs.run_job(jobs.job_template("backup"), "backup")
    (_, _, created), (method, path, options) = api.writes
    assert (method, path.rpartition("/")[2]) == ("DELETE", created["metadata"]["name"])
    assert options["propagationPolicy"] == "Foreground"


def test_a_release_without_backups(api: FakeApi, cli: Cli) -> None:
    answer = cli("backup", "now", "--namespace", "ml")
    assert answer.code == 2
    assert answer.err.startswith("mlflowops: cronjob/mlflow-backup: not in namespace 'ml'; set backup.")


def test_a_log_of_a_container_that_never_ran(api: FakeApi) -> None:
    job_ends(api, "Failed")
    del api.answers["/api/v1/namespaces/ml/pods/pod-1/log"]
    jobs = cronjobs.connect("ml", "mlflow", None)
    log, failed = jobs.run_job(jobs.job_template("backup"), "backup")
    assert (log, str(failed).split("; ")[0][-11:]) == ("Not Found\n", ": Not Found")


def external(version: str) -> Json:
    condition = {"type": "Ready", "status": "False", "message": "denied"}
    status = {"syncedResourceVersion": version, "conditions": [condition]}
    return {"items": [{"metadata": {"name": "postgres"}, "spec": {}, "status": status}]}


def test_a_sync_waits_for_the_operator(api: FakeApi) -> None:
    api.answers[EXTERNAL] = lambda: external(str(min(len(api.queries), 3)))
    assert sync.sync("ml", None, 10) == ["postgres"]
    ((method, path, body),) = api.writes
    assert (method, path) == ("PATCH", f"{EXTERNAL}/postgres")
    assert set(body["metadata"]["annotations"]) == {"force-sync"}


def test_a_sync_that_is_not_done(api: FakeApi) -> None:
    api.answers[EXTERNAL] = external("1")
    with pytest.raises(OpsError, match="postgres was not fetched within -1 s: denied"):
        sync.sync("ml", None, -1)


def test_a_sync_of_nothing(api: FakeApi) -> None:
    api.answers[EXTERNAL] = items()
    with pytest.raises(OpsError, match="there is no ExternalSecret in 'ml'"):
        sync.sync("ml", None, 1)
    assert api.writes == []


def test_only_pods_that_read_secrets_restart(api: FakeApi) -> None:
    source = {"secretKeyRef": {"name": "s", "key": "k"}}
    templates = {"reads": [{"name": "X", "valueFrom": source}], "does-not": []}
    api.answers["/apis/apps/v1/namespaces/ml/deployments"] = {
        "items": [
            {"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [{"env": env}]}}}}
            for name, env in templates.items()
        ]
    }
    assert sync.restart("ml", None) == ["reads"]
    ((_, path, body),) = api.writes
    assert path == "/apis/apps/v1/namespaces/ml/deployments/reads"
    annotations = body["spec"]["template"]["metadata"]["annotations"]
    assert set(annotations) == {"kubectl.kubernetes.io/restartedAt"}


def test_the_inventory_of_external_secrets(api: FakeApi) -> None:
    kinds = [{"kind": kind, "name": kind.lower(), "namespaced": True, "singularName": "", "verbs": []}
             for kind in ("ExternalSecret", "SecretStore", "ClusterSecretStore")]  # fmt: skip
    found = external("1")
    found["items"][0]["spec"]["secretStoreRef"] = {"name": "vault"}
    api.answers |= {
        "/apis/external-secrets.io/v1": {"groupVersion": "external-secrets.io/v1", "resources": kinds},
        EXTERNAL: found,
        "/apis/external-secrets.io/v1/clustersecretstores/other": 403,
        "/apis/apps/v1/deployments": 403,
        "/apis/apps/v1/namespaces/ml/deployments": items(),
        "/apis/batch/v1/namespaces/ml/cronjobs": items(),
        "/api/v1/namespaces/ml/secrets/postgres": {"data": {"password": "x"}},
    }
    read = inventory.read("ml", None, 10, ("ClusterSecretStore", "other"))
    assert (read.defined, read.operators) == (True, None)
    assert read.stores == {
        ("ClusterSecretStore", "other"): {"forbidden": True},
        ("SecretStore", "vault"): None,
    }
    assert read.secrets == {"postgres": {"password"}}
    api.answers["/api/v1/namespaces/ml/secrets/postgres"] = 403
    del api.answers["/apis/external-secrets.io/v1"]
    read = inventory.read("ml", None, 10, ("SecretStore", "postgres"))
    assert (read.defined, read.external, read.stores) == (False, [], {("SecretStore", "postgres"): None})


class Connection:
    """An exec that printed something, and ended or broke."""

    def __init__(self, stdout: str, stderr: str, broken: bool = False) -> None:
        self.stdout, self.stderr, self.broken = stdout, stderr, broken

    def run_forever(self, timeout: float | None) -> None:
        if self.broken:
            raise OSError("connection reset")

    def read_stdout(self, timeout: float) -> str:
        return self.stdout

    def read_stderr(self, timeout: float) -> str:
        return self.stderr

    def read_all(self) -> str:
        return self.stderr + self.stdout


SERVER_POD = {"metadata": {"name": "mlflow-1", "namespace": "ml"}}


def test_an_exec_that_breaks_is_an_error_of_the_api(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlflowops.kube.pod_exec.stream", lambda *_, **__: Connection("", "", broken=True))
    with pytest.raises(kube.ApiError, match="connection reset"):
        kube.exec_in_pod(reader.api, SERVER_POD, "mlflow", ["true"], 1)


def test_a_check_gets_all_that_a_query_printed(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    given: Json = {}

    def stream(*_: object, **options: object) -> Connection:
        given.update(options)
        return printed

    monkeypatch.setattr("mlflowops.kube.pod_exec.stream", stream)
    printed = Connection("answer [1]\n", "a warning\n")
    assert exec_query.run(reader, SERVER_POD, "volume") == "[1]"
    assert (given["container"], given["command"][-2:]) == ("mlflow", ["query", "volume"])
    printed = Connection("", "Traceback\n")
    assert exec_query.run(reader, SERVER_POD, "volume") == "Traceback\n"


@pytest.mark.parametrize(
    ("stdout", "words"),
    [
        ('answer {"bucket": "b", "status": "Enabled"}\n', None),
        ("", "object store: AccessDenied; see artifactStore"),
    ],
)
def test_versioning_is_asked_in_a_running_pod(
    api: FakeApi, cli: Cli, monkeypatch: pytest.MonkeyPatch, stdout: str, words: str | None
) -> None:
    api.answers[DEPLOYMENT] = {"spec": {"selector": {"matchLabels": {"app": "mlflow"}}}}
    api.answers["/api/v1/namespaces/ml/pods"] = items()
    assert "deployment/mlflow: no pod runs that could look" in cli("backup", "versioning").err
    api.answers["/api/v1/namespaces/ml/pods"] = items("mlflow-1", namespace="ml")
    connection = Connection(stdout, "one\nAccessDenied\n")
    monkeypatch.setattr("mlflowops.kube.pod_exec.stream", lambda *_, **__: connection)
    answer = cli("backup", "versioning")
    if words:
        assert (answer.code, words in answer.err) == (1, True)
    else:
        assert (answer.code, answer.out) == (0, "bucket b: versioning is on\n")
