"""Two teams in two workspaces of one release, with accounts, backups and retention."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import mlflow
import pytest
from cli.laptop import mlflow_of_the_process
from mlflow import MlflowClient, MlflowException
from mlflow.artifacts import download_artifacts
from mlflowops.accounts.account_api import WORKSPACE, Accounts

from e2e.forward import port_forward
from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.test_backup import DAY, VALUES, Release

ADMIN = ("admin", "a long admin password")
ANNA, BERT = ("anna", "a long password of anna"), ("bert", "a long password of bert")
TEAMS = {"research": ANNA, "fraud": BERT}
As = Callable[[tuple[str, str], str], MlflowClient]


@pytest.fixture(scope="module")
def release(kube: Kube, helm: Helm, kubeconfig: Path, shared_namespace: str) -> Release:
    """A release whose accounts may do nothing without a grant."""
    account = {"username": ADMIN[0], "password": ADMIN[1]}
    kube.secret(shared_namespace, "mlflow-admin-secret", account)
    own = {
        "auth": {"mode": "basic", "basic": {"defaultPermission": "NO_PERMISSIONS"}},
        "mlflow": {**VALUES["mlflow"], "workspaces": {"enabled": True}},
    }
    return Release(kube, helm, kubeconfig, shared_namespace, own)


@pytest.fixture
def enter(release: Release, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[As]:
    """A client of an account in a workspace, by the variables that its user sets."""
    with ExitStack() as opened:

        def client(who: tuple[str, str], workspace: str) -> MlflowClient:
            opened.close()
            url = opened.enter_context(port_forward(kubeconfig, release.namespace, "service/mlflow", 5000))
            for name, value in zip(("URI", "USERNAME", "PASSWORD"), (url, *who), strict=True):
                monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
            monkeypatch.setenv("MLFLOW_WORKSPACE", workspace)
            opened.enter_context(mlflow_of_the_process(url))
            return MlflowClient(url, registry_uri=url)

        yield client


@pytest.fixture
def runs(release: Release, enter: As) -> dict[str, str]:
    """A run with a file for each team, which its member made; their ids."""
    made = {}
    for team, who in TEAMS.items():
        enter(ADMIN, "default")
        if team not in {each.name for each in mlflow.list_workspaces()}:
            mlflow.create_workspace(team)
            accounts = Accounts.connect()
            accounts.add(*who)
            accounts.grant(who[0], WORKSPACE, team, "USE")
        client = enter(who, team)
        found = client.get_experiment_by_name("churn")
        run = client.create_run(found.experiment_id if found else client.create_experiment("churn"))
        client.log_text(run.info.run_id, f"secret of {team}", "note.txt")
        made[team] = run.info.run_id
    return made


def test_teams_are_apart(release: Release, enter: As, runs: dict[str, str], tmp_path: Path) -> None:
    for team, who in TEAMS.items():
        enter(who, team)
        keys = release.keys(f"artifacts/workspaces/{team}/")
        assert {key.rpartition("/")[2] for key in keys} == {"note.txt"}
        note = download_artifacts(run_id=runs[team], artifact_path="note.txt", dst_path=str(tmp_path / team))
        assert Path(note).read_text() == f"secret of {team}"
        assert [each.name for each in mlflow.list_workspaces()] == [team]
        (other,) = TEAMS.keys() - {team}
        for workspace in (team, other):
            client = enter(who, workspace)
            with pytest.raises(MlflowException):
                client.get_run(runs[other])
            with pytest.raises(MlflowException):
                client.list_artifacts(runs[other])
        with pytest.raises(MlflowException, match="Permission denied"):
            enter(who, other).create_experiment("intruder")


def test_all_workspaces_come_back_from_a_backup(
    release: Release, enter: As, runs: dict[str, str], tmp_path: Path
) -> None:
    release.ops("backup now")
    release.query("TRUNCATE runs CASCADE; TRUNCATE workspaces CASCADE; DELETE FROM role_permissions")
    release.ops("restore latest --yes")
    for team, who in TEAMS.items():
        assert enter(who, team).get_run(runs[team]).info.run_id == runs[team]
        note = download_artifacts(run_id=runs[team], artifact_path="note.txt", dst_path=str(tmp_path / team))
        assert Path(note).read_text() == f"secret of {team}"


def test_retention_works_in_each(release: Release, enter: As, runs: dict[str, str]) -> None:
    ids = list(runs.values())
    ended = "UPDATE runs SET status = 'FINISHED', end_time = start_time - %s WHERE run_uuid = ANY (%s)"
    release.query(ended, 31 * DAY, ids)
    release.job("retention")
    release.job("retention")
    assert release.query("SELECT run_uuid FROM runs WHERE run_uuid = ANY (%s)", ids) == []
    keys = release.keys("artifacts/workspaces/")
    assert not [key for key in keys for run in ids if run in key]


def test_they_cannot_be_disabled(release: Release, helm: Helm, enter: As, runs: dict[str, str]) -> None:
    """The new pod says why, and the old one keeps serving both teams."""
    off = {**release.values, "mlflow": VALUES["mlflow"]}
    (old,) = release.kube.pods(release.namespace)
    helm.install(release.namespace, off, wait="")
    name = eventually(
        lambda: [
            each.metadata.name
            for each in release.kube.pods(release.namespace)
            if each.metadata.name != old.metadata.name
        ],
        60,
        "the new pod",
    )[0]
    words = "mlflow.workspaces.enabled: the database has experiments, models or webhooks in the workspace"
    eventually(lambda: words in release.kube.logs(release.namespace, name, "schema"), 90, words)
    for team, who in TEAMS.items():
        assert enter(who, team).get_run(runs[team]).info.run_id == runs[team]
    helm.install(release.namespace, release.values)
    assert enter(ANNA, "research").get_run(runs["research"])
