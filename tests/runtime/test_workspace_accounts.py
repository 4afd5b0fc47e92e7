"""Accounts of MLflow and their workspaces, granted by `mlflowops accounts`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
import requests
import yaml
from cli.cli import Answer
from cli.laptop import mlflow_of_the_process

from runtime.basic_auth import ADMIN, FLASK_KEY
from runtime.belongings import Keeper
from runtime.server import Server
from runtime.test_accounts_command import PASSWORD, Command, as_administrator
from runtime.test_schema import schema


@pytest.fixture(scope="module")
def server(
    start: Callable[..., Server],
    ready_database: Callable[[], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    """A server of the chart's own settings, whose default permission is READ."""
    env = {
        **ready_database(),
        "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
        "MLFLOW_KUBERNETES_AUTH_PERMISSION": "READ",
        "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": FLASK_KEY,
        "MLFLOW_ENABLE_WORKSPACES": "true",
    }
    step = schema(tmp_path_factory.mktemp("schema"), **env)
    assert step.returncode == 0, step.stdout
    return start(**env).ready()


@pytest.fixture
def accounts(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """The command, as the administrator."""
    with mlflow_of_the_process(server.url):
        yield as_administrator(server, monkeypatch, capsys)


def make(server: Server, name: str, workspace: str, what: str) -> int:
    """Create an experiment; the status."""
    return requests.post(
        f"{server.url}/api/2.0/mlflow/experiments/create",
        json={"name": what},
        headers={"X-MLFLOW-WORKSPACE": workspace},
        auth=(name, PASSWORD) if name != ADMIN[0] else ADMIN,
        timeout=60,
    ).status_code


def read(server: Server, name: str, workspace: str, what: str) -> int:
    """Read an experiment; the status."""
    return requests.get(
        f"{server.url}/api/2.0/mlflow/experiments/get-by-name",
        {"experiment_name": what},
        headers={"X-MLFLOW-WORKSPACE": workspace},
        auth=(name, PASSWORD),
        timeout=60,
    ).status_code


def test_grants_on_workspaces(server: Server, accounts: Command) -> None:
    mlflow.create_workspace("granted")
    assert accounts("add", "anna", password=f"{PASSWORD}\n").code == 0
    for workspace in ("default", "granted"):
        assert make(server, ADMIN[0], workspace, "plan") == 200
    assert read(server, "anna", "default", "plan") == 403, "auth.basic.defaultPermission is no grant"
    assert (read(server, "anna", "granted", "plan"), make(server, "anna", "granted", "a")) == (403, 403)
    assert make(server, "anna", "default", "a") == 403

    assert accounts("grant", "anna", "USE", "--workspace", "granted").code == 0
    assert (read(server, "anna", "granted", "plan"), make(server, "anna", "granted", "b")) == (200, 200)
    for permission in ("MANAGE", "USE", "USE"):
        assert accounts("grant", "anna", permission, "--workspace", "granted").code == 0
        (anna,) = [each for each in accounts("list", "-o", "json").data if each["name"] == "anna"]
        assert anna["grants"] == [{"workspace": "granted", "permission": permission}]
    assert accounts("revoke", "anna", "--workspace", "granted").code == 0
    assert read(server, "anna", "granted", "plan") == 403


def test_the_default_workspace_can_be_granted(server: Server, accounts: Command) -> None:
    assert accounts("add", "bert", password=f"{PASSWORD}\n").code == 0
    assert accounts("grant", "bert", "USE", "--workspace", "default").code == 0
    assert make(server, "bert", "default", "of bert") == 200


def test_a_file_has_workspaces(server: Server, accounts: Command, tmp_path: Path) -> None:
    mlflow.create_workspace("in-a-file")
    (tmp_path / "passwords").mkdir()
    (tmp_path / "passwords/carl").write_text(PASSWORD)
    file = tmp_path / "accounts.yaml"

    def apply(*grants: dict[str, str]) -> Answer:
        file.write_text(yaml.safe_dump({"accounts": [{"name": "carl", "grants": list(grants)}]}))
        return accounts("apply", str(file), "--passwords", str(tmp_path / "passwords"), "--prune")

    grant = {"workspace": "in-a-file", "permission": "MANAGE"}
    assert "grant carl MANAGE on workspace in-a-file" in apply(grant).out
    assert apply(grant).out == "no change\n"
    assert "revoke MANAGE of carl on workspace in-a-file" in apply().out
    assert "workspace none-such: there is none of this name" in apply({**grant, "workspace": "none-such"}).err
    assert "set USE, MANAGE" in apply({**grant, "permission": "READ"}).err


def test_grants_of_another_workspace_stay(
    server: Server, accounts: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command works in the workspace of MLFLOW_WORKSPACE, as each client does."""
    mlflow.create_workspace("elsewhere")
    assert make(server, ADMIN[0], "elsewhere", "one") == 200
    assert accounts("add", "dora", password=f"{PASSWORD}\n").code == 0
    monkeypatch.setenv("MLFLOW_WORKSPACE", "elsewhere")
    assert accounts("grant", "dora", "READ", "--experiment", "one").code == 0
    assert read(server, "dora", "elsewhere", "one") == 200
    monkeypatch.delenv("MLFLOW_WORKSPACE")
    (dora,) = [each for each in accounts("list", "-o", "json").data if each["name"] == "dora"]
    assert dora["grants"] == []


def test_an_administrator_of_a_workspace_changes_no_role_of_another(
    server: Server, accounts: Command
) -> None:
    """MLflow asks for rights on the workspace of `role_id`, and changes what `role_permission_id` names."""
    assert accounts("add", "olga", password=f"{PASSWORD}\n").code == 0
    admin, olga = Keeper(server.url, ADMIN), Keeper(server.url, ("olga", PASSWORD))
    roles, ids = {}, {}
    for name, permission in (("hers", "MANAGE"), ("theirs", "USE")):
        mlflow.create_workspace(name)
        roles[name] = admin.make("roles/create", {"workspace": name, "name": "r"})["role"]["id"]
        grant = {"resource_type": "workspace", "resource_pattern": "*", "permission": permission}
        made = admin.make("roles/permissions/add", {"role_id": roles[name], **grant})
        ids[name] = made["role_permission"]["id"]
        admin.make("roles/assign", {"role_id": roles[name], "username": "olga"})
    path = "/api/3.0/mlflow/roles"
    other, hers = {"role_permission_id": ids["theirs"]}, {"role_id": roles["hers"]}
    calls = [
        ("PATCH", f"{path}/permissions/update", {**other, "permission": "MANAGE"}),
        ("PATCH", f"{path}/permissions/update", {**other, **hers, "permission": "MANAGE"}),
        ("PATCH", f"{path}/permissions/update", {**other, "workspace": "hers", "permission": "MANAGE"}),
        ("DELETE", f"{path}/permissions/remove", {**other, **hers}),
        ("POST", f"{path}/create", {**hers, "workspace": "theirs", "name": "x"}),
        ("POST", f"{path}/permissions/add", {"role_id": roles["theirs"], "workspace": "hers"}),
    ]
    for method, route, body in calls:
        answer = olga.send(method, route, json=body)
        assert answer.status_code == 403, (route, body, answer.text)
    listed = admin.send("GET", f"{path}/permissions/list?role_id={roles['theirs']}").json()[
        "role_permissions"
    ]
    assert [each["permission"] for each in listed] == ["USE"]
    own = {"role_permission_id": ids["hers"], "permission": "MANAGE"}
    assert olga.send("PATCH", f"{path}/permissions/update", json={**own, **hers, "workspace": "hers"}).ok
