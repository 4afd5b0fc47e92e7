"""`helmfile -e dev apply` and `-e prod apply`, where database, object store and vault are not ours."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient
from mlflowops.paths import REPO

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.platform import MANIFESTS, Platform
from e2e.stores import KEYS, NASTY, s3_client
from e2e.up import run

OUTSIDE = "outside"  # the namespace of what is not ours
ADMIN = {"username": "admin", "password": "a long password: 100%/&'"}
S3 = {"AWS_ACCESS_KEY_ID": "outside", "AWS_SECRET_ACCESS_KEY": NASTY}


@dataclass
class Environment:
    """One that is applied: its namespace has its name."""

    name: str
    kubeconfig: Path

    def helmfile(self, words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """With the few values that differ here: where this site's servers are, and whose image it runs."""
        site = f"--values {MANIFESTS / 'site.yaml'}"
        return run(f"mlflowops helmfile -e {self.name} -n {self.name} {words} {site}", self.kubeconfig, check)

    def type(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of an administrator of MLflow."""
        account = " ".join(f"MLFLOW_TRACKING_{key.upper()}={json.dumps(ADMIN[key])}" for key in ADMIN)
        return run(f"export {account}; {command}", self.kubeconfig, check)


@pytest.fixture(scope="module")
def outside(kube: Kube, helm: Helm, platform: Platform) -> Iterator[str]:
    """PostgreSQL that speaks TLS only, one bucket for each environment, and one for backups."""
    kube.create_namespace(OUTSIDE)
    kube.secret(OUTSIDE, "postgres", {"password": NASTY})
    kube.secret(OUTSIDE, "mlflow-s3-secret", S3)
    platform.apply(OUTSIDE, "outside")
    helm.install(
        OUTSIDE, {"bucket": "biz-datalake-prod"}, release="s3", chart=REPO / "testbed/charts/seaweedfs"
    )
    for bucket in ("biz-datalake-dev", "biz-backups-prod"):
        s3_client(kube, OUTSIDE, "s3").create_bucket(Bucket=bucket)
    kube.wait_ready(OUTSIDE, 1, selector="app=postgres")
    yield OUTSIDE
    remove(kube, OUTSIDE)


@pytest.fixture(scope="module", params=["dev", "prod"])
def environment(
    request: pytest.FixtureRequest, outside: str, kube: Kube, platform: Platform, kubeconfig: Path
) -> Iterator[Environment]:
    """Applied by helmfile, with its Secrets in a vault."""
    name = request.param
    kube.create_namespace(name)
    fill_vault(name, kube, platform)
    made = Environment(name, kubeconfig)
    made.helmfile("apply")
    yield made
    remove(kube, name)


def fill_vault(environment: str, kube: Kube, platform: Platform) -> None:
    """The store that the environment's values name, with what a release reads."""
    common, own = (
        yaml.safe_load((REPO / file).read_text())["externalSecrets"]
        for file in ("values.yaml", f"values-{environment}.yaml")
    )
    authority = kube.read_secret("cert-manager", "local-ca")["ca.crt"]
    secrets: dict[str, dict[str, Any]] = {
        "mlflow-postgres-secret": {"password": NASTY},
        "mlflow-postgres-ca": {"ca": {"crt": authority}},  # the fake provider takes a dot for a path
        "mlflow-s3-secret": S3,
        # SeaweedFS has one account here; tests/runtime/test_backup_credentials.py has two.
        "mlflow-backup-secret": S3,
        "mlflow-admin-secret": ADMIN,
        "mlflow-keys-secret": KEYS,
    }
    prefix = own["keyPrefix"]
    data = [{"key": f"{prefix}{name}", "value": json.dumps(secret)} for name, secret in secrets.items()]
    platform.apply(OUTSIDE, "vault", name=common["secretStoreRef"]["name"], data=json.dumps(data))


def test_apply_ends_with_a_healthy_server(environment: Environment) -> None:
    """Nothing is red. No DNS knows the Ingress here, and no CronJob has had its hour: both stay unknown."""
    ask = f"mlflowops health --namespace {environment.name} --output json"

    def red() -> dict[str, str]:
        checks = json.loads(environment.type(ask, check=False).stdout)["checks"]
        assert {"rollout", "database", "artifacts", "schema"} <= {
            check["name"] for check in checks if check["status"] == "ok"
        }
        return {check["name"]: check["detail"] for check in checks if check["status"] == "red"}

    # The autoscaler has no figures of new pods for some seconds.
    eventually(lambda: not red(), 90, "no red line", every=5)


def test_apply_again_changes_nothing(environment: Environment) -> None:
    again = environment.helmfile("diff --detailed-exitcode", check=False)
    assert again.returncode == 0, again.stdout + again.stderr


def test_a_run_and_its_artifact_are_outside(
    environment: Environment, kube: Kube, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the database and the bucket that the environment names, by way of its server."""
    for key, value in ADMIN.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{key.upper()}", value)
    with port_forward(kubeconfig, environment.name, "service/mlflow", 5000) as url:
        client = MlflowClient(url)
        run_id = client.create_run(client.create_experiment(environment.name)).info.run_id
        client.log_text(run_id, "kept outside", "note.txt")
        uri = client.get_run(run_id).info.artifact_uri
        assert uri.startswith("mlflow-artifacts:")
    bucket = f"biz-datalake-{environment.name}"
    key = f"mlflow/artifacts/{uri.partition(':/')[2]}/note.txt"
    assert s3_client(kube, OUTSIDE, "s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"kept outside"


@pytest.mark.parametrize("environment", ["prod"], indirect=True)
def test_a_backup_is_in_its_own_bucket(environment: Environment, kube: Kube) -> None:
    """Listed with its credentials, which no container beside the server has."""
    where = f"--namespace {environment.name}"
    environment.type(f"mlflowops backup now {where}")
    listed = json.loads(environment.type(f"mlflowops backup list {where} --output json").stdout)
    prefix = f"backups/{environment.name}/mlflow/{listed[0]['name']}"
    found = s3_client(kube, OUTSIDE, "s3").list_objects_v2(Bucket="biz-backups-prod", Prefix=prefix)
    assert found["KeyCount"] == 3
    for pod in kube.pods(environment.name):
        assert "mlflow-backup-secret" not in str(pod.spec.containers)


PAGE = re.findall(r"```bash\n(.*?)```", (REPO / "docs/commands.md").read_text(), re.DOTALL)
LINES = [line for block in PAGE for line in block.splitlines() if line]


@pytest.mark.parametrize("environment", ["prod"], indirect=True)
def test_the_commands_of_the_page(environment: Environment, platform: Platform) -> None:
    """Every line of docs/commands.md, in this namespace; curl is told what a DNS record would say."""
    failed = []
    for line in LINES:
        command, _, shown = (part.strip() for part in line.partition("# shows:"))
        command = re.sub(r"(-n|--namespace|MLFLOW_NAMESPACE=)( ?)ml\b", rf"\1\2{environment.name}", command)
        command = command.replace("curl ", f"curl --resolve mlflow.example.com:443:{platform.address} ")
        done = environment.type(command, check=False)
        if done.returncode or shown not in done.stdout:
            said = f"{done.stdout[-800:]}{done.stderr[-800:]}"
            failed.append(f"{command}\nexit {done.returncode}, wanted {shown!r} in\n{said}")
    assert not failed, "\n\n".join(failed)
