"""Two replicas that ask for an account: who gets in, who may do what, and what needs no password."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from kubernetes.client import V1Pod
from mlflow import MlflowClient, MlflowException
from mlflow.genai.scorers import RegexMatch
from mlflow.server.auth.client import AuthServiceClient
from mlflowops.accounts.account_api import EXPERIMENT, Account, Accounts
from mlflowops.paths import REPO
from runtime.jobs import job, score
from runtime.traces import trace

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import look
from e2e.stores import NASTY, Database, shared_stores
from e2e.up import load_image, run

# What broke a peer's INI file; only characters that a client can send.
PASSWORD = NASTY.replace("é", "") + secrets.token_hex(8)
ADMIN = ("admin", PASSWORD)
ACCOUNTS = REPO / "examples/accounts/job.yaml"
ASK = "/api/2.0/mlflow/experiments/get?experiment_id=0"


@pytest.fixture(scope="module")
def protected(kube: Kube, helm: Helm, shared_namespace: str) -> str:
    """The namespace of a release with basic-auth."""
    database = Database.create(kube, f"auth_{secrets.token_hex(3)}")
    values = shared_stores(kube, shared_namespace, database)
    kube.secret(shared_namespace, "mlflow-admin-secret", {"username": "admin", "password": PASSWORD})
    basic = {"mode": "basic", "basic": {"defaultPermission": "NO_PERMISSIONS"}}
    of_accounts = {"podSelector": {"matchLabels": {"batch.kubernetes.io/job-name": "mlflow-accounts"}}}
    ingress = [{"from": [of_accounts], "ports": [{"port": 5000}]}]
    restricted = {"networkPolicy": {"enabled": True, "ingress": ingress}}
    small = {"requests": {"cpu": "20m", "memory": "256Mi"}}
    jobs = {"jobs": {"enabled": True, "resources": small}}  # here they meet several pods, a login, a policy
    values |= {**restricted, **jobs, "replicaCount": 2, "auth": basic}
    helm.install(shared_namespace, values, wait="300s")
    return shared_namespace


@pytest.fixture(scope="module")
def pods(kube: Kube, kubeconfig: Path, protected: str) -> Iterator[list[str]]:
    """An address of each pod, past the Service."""
    first, second = (f"pod/{pod.metadata.name}" for pod in kube.pods(protected))
    with (
        port_forward(kubeconfig, protected, first, 5000) as one,
        port_forward(kubeconfig, protected, second, 5000) as two,
    ):
        yield [one, two]


def status(url: str, who: tuple[str, str] | None, path: str = ASK) -> int:
    return requests.get(url + path, auth=who, timeout=30).status_code


def login(monkeypatch: pytest.MonkeyPatch, who: tuple[str, str]) -> None:
    """As users of the SDK and of `mlflowops` log in."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", who[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", who[1])


def test_only_accounts_get_in(kube: Kube, protected: str, pods: list[str]) -> None:
    for pod in pods:
        assert [status(pod, who) for who in (ADMIN, ("admin", "a wrong password"), None)] == [200, 401, 401]
        assert status(pod, None, "/health") == 200
    assert kube.restarts(protected) == 0


def test_a_user_may_do_what_was_granted(pods: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    login(monkeypatch, ADMIN)
    one, two = (MlflowClient(pod) for pod in pods)
    mine, hidden = one.create_experiment("granted"), one.create_experiment("hidden")
    user = ("carl", secrets.token_urlsafe(16))
    accounts = AuthServiceClient(pods[0])
    accounts.create_user(*user)
    accounts.grant_user_permission("carl", "experiment", mine, "EDIT")
    login(monkeypatch, user)
    run_id = two.create_run(mine).info.run_id
    two.log_metric(run_id, "accuracy", 0.9)
    assert one.get_run(run_id).data.metrics == {"accuracy": 0.9}
    with pytest.raises(MlflowException, match="Permission denied"):
        two.get_experiment(hidden)
    with pytest.raises(MlflowException, match="Permission denied"):
        two.delete_experiment(mine)


def test_a_form_of_one_pod_is_valid_at_the_other(pods: list[str]) -> None:
    """The key that signs it is the same, so a browser may meet both."""
    with requests.Session() as browser:
        browser.auth = ADMIN
        form = browser.get(f"{pods[0]}/signup", timeout=30).text
        token = form.split('name="csrf_token" value="')[1].split('"')[0]
        new = {"username": "bert", "password": "a long password", "csrf_token": token}
        made = browser.post(f"{pods[1]}/api/2.0/mlflow/users/create-ui", data=new, timeout=30)
        assert made.status_code == 200 and "Successfully signed up user: bert" in made.text, made.text
        forged = new | {"username": "eve", "csrf_token": token[:-4] + "aaaa"}
        answer = browser.post(f"{pods[1]}/api/2.0/mlflow/users/create-ui", data=forged, timeout=30)
        assert answer.status_code == 400


def test_health_logs_in(protected: str, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = f"mlflowops health --namespace {protected}"
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    assert "MLFLOW_TRACKING_USERNAME" in run(words, kubeconfig, check=False).stdout
    login(monkeypatch, ADMIN)
    done = run(words, kubeconfig, check=False)
    assert done.returncode == 0, done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_a_background_job_is_done_once_and_elsewhere(kube: Kube, protected: str, pods: list[str]) -> None:
    """Asked of one server, done by the pod for it, known to the other server."""
    scored = trace(pods[0], ADMIN)
    job_id = score(pods[0], scored, RegexMatch(pattern="^Answer:"), ADMIN)

    def ended() -> Any:
        found = job(pods[1], job_id, ADMIN)
        return found if found["status"] not in ("PENDING", "RUNNING") else None

    found = eventually(ended, 120, "the end of the job")
    assert found["status"] == "SUCCEEDED", found
    (assessment,) = found["result"][scored]["assessments"]
    assert (assessment["feedback"], found["creator"]) == ({"value": "yes"}, "admin")
    (runner,) = kube.pods(protected, "app.kubernetes.io/component=jobs")
    assert f"{job_id} finished" in kube.logs(protected, runner.metadata.name, "jobs")
    assert "_periodic_tasks_consumer" in processes(kube, runner)
    for server in kube.pods(protected):
        seen = processes(kube, server)
        assert "mlflow_kubernetes server" in seen and "mlflow.server.jobs" not in seen, seen


def test_containers_do_not_see_each_other(kube: Kube, protected: str) -> None:
    """The one for metrics finds no process of the server's, whose environment holds passwords."""
    for server in kube.pods(protected):
        beside = processes(kube, server, 1)
        assert "mlflow_kubernetes metrics" in beside and "mlflow_kubernetes server" not in beside, beside


def processes(kube: Kube, pod: V1Pod, container: int = 0) -> str:
    """What runs in a container of a pod."""
    show = ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]
    return kube.exec(pod.metadata.namespace, pod.metadata.name, show, pod.spec.containers[container].name)


def apply_accounts(kube: Kube, kubeconfig: Path, namespace: str, *words: str) -> list[str]:
    """Apply the Job of the examples again, as Argo CD does at each sync; the lines of its log."""
    text = ACCOUNTS.read_text().replace(".ml.svc.", f".{namespace}.svc.")
    file, applied = yaml.safe_load_all(text.replace("registry.example.com", "localhost"))
    applied["spec"]["template"]["spec"]["containers"][0]["command"] += words
    before = f"kubectl delete job mlflow-accounts -n {namespace} --cascade foreground --ignore-not-found"
    run(before, kubeconfig)
    manifest = yaml.safe_dump_all([file, applied])
    run(f"kubectl apply -n {namespace} -f - <<'EOF'\n{manifest}\nEOF", kubeconfig)
    return kube.end_of_job(namespace, "mlflow-accounts").splitlines()


def test_a_job_makes_the_accounts_of_a_file(
    kube: Kube, kubeconfig: Path, protected: str, pods: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not in the file goes, which a dry run says first; no password is in a log or a manifest."""
    login(monkeypatch, ADMIN)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", pods[0])
    load_image("mlflowops", kubeconfig)
    accounts, password = Accounts.connect(), secrets.token_urlsafe(16)
    fraud = MlflowClient().create_experiment("fraud")
    leaving = ("zoe", secrets.token_urlsafe(16))
    accounts.add(*leaving)
    kube.secret(protected, "mlflow-passwords", {"anna": password})
    planned = apply_accounts(kube, kubeconfig, protected, "--dry-run")
    assert planned[-2:] == ["add account anna", "grant anna EDIT on experiment fraud"], planned
    assert planned[-3] == "remove account zoe"
    before = {each.name for each in accounts.read()}
    assert "zoe" in before and "anna" not in before
    assert apply_accounts(kube, kubeconfig, protected) == planned
    admin, anna = accounts.read()
    assert admin.name == "admin" and anna == Account("anna", grants={(EXPERIMENT, "fraud"): "EDIT"})
    ask = f"/api/2.0/mlflow/experiments/get?experiment_id={fraud}"
    assert [status(pods[1], who, ask) for who in (("anna", password), leaving)] == [200, 401]
    assert apply_accounts(kube, kubeconfig, protected) == ["no change"]
    seen = look(kube, protected)
    assert not seen.found
    assert "None/accounts" in seen.logs and "mlflow-passwords/anna" in seen.secrets
    objects = f"kubectl get -n {protected} -o yaml job/mlflow-accounts configmap/mlflow-accounts"
    manifest = run(objects, kubeconfig).stdout
    assert not [each for each in (password, leaving[1], PASSWORD[-16:]) if each in manifest]


def test_helm_test_logs_in(helm: Helm, protected: str) -> None:
    assert "Succeeded" in helm("test", "mlflow", "--namespace", protected).stdout


def test_no_log_holds_a_secret(kube: Kube, protected: str) -> None:
    """Every namespace of a test is looked into; of this one the look has these logs and these passwords."""
    seen = look(kube, protected)
    assert not seen.found
    assert {"server/mlflow", "server/schema", "jobs/jobs", "exporter/exporter"} <= seen.logs
    expected = {"mlflow-admin-secret/password", "mlflow-keys-secret/flask-secret-key"}
    assert {*expected, "mlflow-postgres-secret/password"} <= seen.secrets


def test_metrics_need_no_account(kubeconfig: Path, protected: str) -> None:
    for service, fact in (("mlflow-metrics", "mlflow_http_requests_total"), ("mlflow-exporter", "_up")):
        with port_forward(kubeconfig, protected, f"service/{service}", 9464) as url:
            answer = requests.get(f"{url}/metrics", timeout=30)
            assert answer.ok and fact in answer.text


def test_a_changed_secret_is_the_password_after_a_restart(
    kube: Kube, kubeconfig: Path, protected: str
) -> None:
    """Last, for it replaces the pods."""
    new = f"rotated {secrets.token_hex(8)}"
    kube.secret(protected, "mlflow-admin-secret", {"username": "admin", "password": new})
    run(f"kubectl rollout restart deployment/mlflow -n {protected}", kubeconfig)
    run(f"kubectl rollout status deployment/mlflow -n {protected} --timeout=300s", kubeconfig)
    with port_forward(kubeconfig, protected, "service/mlflow", 80) as url:
        assert [status(url, who) for who in (("admin", new), ADMIN)] == [200, 401]
