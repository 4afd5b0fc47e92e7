"""`helmfile apply` as users type it: what it makes, what it keeps, what it shows, how it recovers."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes.client.rest import ApiException
from mlflowops.generated_secrets import GENERATED
from mlflowops.paths import REPO

from e2e.helm import Helm
from e2e.kube import TIMEOUT_FACTOR, Kube, eventually
from e2e.leaks import remove
from e2e.up import Up, run
from testbed import helmfile, tools

NAMESPACE = "apply"
TIMEOUT = f"{TIMEOUT_FACTOR * 120}s"
Apply = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", autouse=True)
def namespace(kube: Kube) -> Iterator[str]:
    """The environment's hook creates it."""
    yield NAMESPACE
    remove(kube, NAMESPACE)


@pytest.fixture(scope="module")
def type_(kubeconfig: Path) -> Apply:
    """Types a helmfile command for the one release that starts fastest."""
    where = f"mlflowops helmfile -e local -n {NAMESPACE} -l name=seaweedfs"
    return lambda words, check=True: run(f"{where} {words}", kubeconfig, check)


def revision(helm: Helm, release: str = "seaweedfs") -> tuple[int, str]:
    status = json.loads(helm("status", release, "-n", NAMESPACE, "-o", "json").stdout)
    return status["version"], status["info"]["status"]


def secrets(kube: Kube) -> dict[str, dict[str, str]]:
    return {name: kube.read_secret(NAMESPACE, name) for name in GENERATED}


def test_what_up_deployed_is_what_helmfile_wants(up: Up, kubeconfig: Path) -> None:
    done = run("mlflowops helmfile -e local diff --detailed-exitcode", kubeconfig, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_apply_makes_namespace_and_secrets(type_: Apply, kube: Kube, helm: Helm) -> None:
    said = type_("apply")
    labels = kube.core.read_namespace(NAMESPACE).metadata.labels
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert revision(helm) == (1, "deployed")
    for name, keys in GENERATED.items():
        made = secrets(kube)[name]
        assert made.keys() == set(keys)
        assert len(set(made.values())) == len(keys)
        for value in made.values():
            assert len(value) > 40
            assert value not in said.stdout + said.stderr, f"a value of {name} was printed"
        found = kube.core.read_namespaced_secret(name, NAMESPACE)
        assert found.metadata.labels["app.kubernetes.io/managed-by"] == "mlflowops"


def test_the_second_apply_changes_nothing(type_: Apply, kube: Kube, helm: Helm) -> None:
    before = secrets(kube)
    said = type_("apply")
    assert "Upgrading" not in said.stdout + said.stderr
    assert revision(helm) == (1, "deployed")
    assert secrets(kube) == before


def test_secrets_are_kept_and_the_lost_one_is_made_again(kube: Kube, kubeconfig: Path) -> None:
    before = secrets(kube)
    kube.core.delete_namespaced_secret("mlflow-postgres-secret", NAMESPACE)
    run(f"mlflowops secrets ensure --namespace {NAMESPACE}", kubeconfig)
    after = secrets(kube)
    assert after["mlflow-s3-secret"] == before["mlflow-s3-secret"]
    assert after["mlflow-postgres-secret"] != before["mlflow-postgres-secret"]


def test_a_change_is_shown_then_applied(type_: Apply, kube: Kube, helm: Helm) -> None:
    change = "--set resources.requests.cpu=50m"
    shown = type_(f"diff --detailed-exitcode {change}", check=False)
    assert shown.returncode == 2, shown.stderr
    assert f"{NAMESPACE}, seaweedfs, StatefulSet (apps) has changed:" in shown.stdout
    assert [line.split() for line in shown.stdout.splitlines() if line.startswith(("+", "-"))] == [
        ["-", "cpu:", "100m"],
        ["+", "cpu:", "50m"],
    ]
    assert revision(helm) == (1, "deployed"), "a diff changes nothing"
    before = secrets(kube)
    type_(f"apply {change}")
    assert revision(helm) == (2, "deployed")
    assert secrets(kube) == before


def test_a_chart_that_does_not_render_is_a_failure_and_no_change(type_: Apply) -> None:
    done = type_("diff --detailed-exitcode --set nonsense=1", check=False)
    assert done.returncode not in (0, 2)
    assert "nonsense" in done.stderr


def unlock_by_hand(namespace: str) -> None:
    """As docs/upgrading.md has it, for the namespace `ml`."""
    page = (REPO / "docs/upgrading.md").read_text()
    (command,) = re.findall(r"(?m)^kubectl delete secret -n ml -l .*$", page)
    run(command.replace("-n ml", f"-n {namespace}"))


@pytest.mark.parametrize("first", [True, False], ids=["installation", "upgrade"])
@pytest.mark.parametrize("unlock", [helmfile.unlock, unlock_by_hand], ids=["up", "by-hand"])
def test_a_killed_helm_is_recovered_from(
    kube: Kube,
    helm: Helm,
    kubeconfig: Path,
    monkeypatch: pytest.MonkeyPatch,
    unlock: Callable[[str], None],
    first: bool,
) -> None:
    """Power goes while helm waits: the release is locked, and `up` unlocks it, or the command of the page."""
    release = f"killed-{'first' if first else 'later'}-{unlock.__name__.replace('_', '-')}"
    install = ["upgrade", "--install", release, "testbed/charts/postgresql", "-n", NAMESPACE, "--wait"]
    if not first:
        helm(*install, "--timeout", TIMEOUT)
    kill_while_waiting(kubeconfig, [*install, "--set", "resources.requests.cpu=50m"], helm, release)
    refused = helm(*install, check=False)
    assert "another operation" in refused.stderr

    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    unlock(NAMESPACE)
    helm(*install, "--timeout", TIMEOUT)
    assert revision(helm, release)[1] == "deployed"


def kill_while_waiting(kubeconfig: Path, words: list[str], helm: Helm, release: str) -> None:
    command = [str(tools.ensure("helm")), "--kubeconfig", str(kubeconfig), *words]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listed = ["list", "--pending", "--output", "json", "-n", NAMESPACE]
    eventually(lambda: release in helm(*listed).stdout, 60, f"{release} pending")
    process.kill()
    process.wait()


def test_a_failed_release_is_applied_again(type_: Apply, kube: Kube, helm: Helm) -> None:
    """helm calls an upgrade failed that was not Ready in time; equal manifests must not hide that."""
    change = "--set resources.requests.cpu=40m"
    failed = type_(f"apply {change} --sync-args --timeout=1s", check=False)
    assert failed.returncode != 0
    assert revision(helm)[1] == "failed"
    again = type_(f"diff --detailed-exitcode {change}", check=False)
    assert again.returncode == 2
    assert "is failed: it will be applied again" in again.stdout
    type_(f"apply {change}")
    assert revision(helm)[1] == "deployed"


def test_a_named_context_is_the_one_that_the_hook_uses(kube: Kube, kubeconfig: Path, tmp_path: Path) -> None:
    """With two clusters in one kubeconfig, namespace and Secrets must not land in the other one."""
    config = json.loads(
        run("kubectl config view --raw --flatten -o json", kubeconfig).stdout,
    )
    config["contexts"][0]["name"] = "right"
    config["clusters"].append({"name": "gone", "cluster": {"server": "https://127.0.0.1:9"}})
    gone = {"cluster": "gone", "user": config["users"][0]["name"]}
    config["contexts"].append({"name": "wrong", "context": gone})
    config["current-context"] = "wrong"
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    command = "mlflowops helmfile -e local -n context -l name=seaweedfs --kube-context right apply"
    try:
        run(command, tmp_path / "kubeconfig")
        assert kube.read_secret("context", "mlflow-s3-secret")
    finally:
        try:
            kube.delete_namespace("context")
        except ApiException as error:
            assert error.status == 404
