"""`mlflowops accounts` against MLflow's own accounts."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cli.cli import Answer, Cli
from mlflow import MlflowClient

from runtime.basic_auth import ADMIN, settings
from runtime.server import Server

PASSWORD = "a password of twelve"
Command = Callable[..., Answer]


@pytest.fixture(scope="module")
def server(
    start: Callable[..., Server],
    ready_database: Callable[[], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    """A server with a login, without permissions by default."""
    login = settings(tmp_path_factory.mktemp("login"), "NO_PERMISSIONS")
    return start(MLFLOW_KUBERNETES_APP_NAME="basic-auth", **login, **ready_database()).ready()


@pytest.fixture
def accounts(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, as the administrator."""
    return as_administrator(server, monkeypatch, capsys)


def as_administrator(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return the command for a server; `password` is its stdin."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
    command = Cli(capsys, monkeypatch)

    def call(*words: str, password: str = "") -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(password))
        return command("accounts", *words)

    return call


@pytest.fixture
def things(server: Server, accounts: Command, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The names of an experiment and of a model of the test's own."""
    name = request.node.name.removeprefix("test_")[:40]
    client = MlflowClient(server.url)
    client.create_experiment(f"{name}-experiment")
    client.create_registered_model(f"{name}-model")
    return f"{name}-experiment", f"{name}-model"


def reads(server: Server, name: str, experiment: str, password: str = PASSWORD) -> bool:
    query = {"experiment_name": experiment}
    path = "/api/2.0/mlflow/experiments/get-by-name"
    return requests.get(server.url + path, query, auth=(name, password), timeout=60).ok


def listed(accounts: Command) -> dict[str, Any]:
    return {each["name"]: each for each in accounts("list", "-o", "json").data}


def test_an_account_is_added_granted_and_removed(
    server: Server, accounts: Command, things: tuple[str, str]
) -> None:
    experiment, model = things
    assert accounts("add", "anna", password=f"{PASSWORD}\n").out == "added: anna\n"
    assert not reads(server, "anna", experiment)
    assert accounts("grant", "anna", "READ", "--experiment", experiment).code == 0
    assert accounts("grant", "anna", "EDIT", "--model", model).code == 0
    assert reads(server, "anna", experiment)
    assert accounts("grant", "anna", "MANAGE", "--experiment", experiment).code == 0  # a change
    expected = [
        {"experiment": experiment, "permission": "MANAGE"},
        {"model": model, "permission": "EDIT"},
    ]
    assert listed(accounts)["anna"] == {"name": "anna", "admin": False, "grants": expected}
    assert "MANAGE" in accounts("list").out  # a table, which may be wrapped
    assert accounts("revoke", "anna", "--experiment", experiment).code == 0
    assert not reads(server, "anna", experiment)
    assert accounts("remove", "anna").out == "removed: anna\n"
    assert "anna" not in listed(accounts)


def test_a_file_makes_the_accounts(
    server: Server, accounts: Command, things: tuple[str, str], tmp_path: Path
) -> None:
    """Twice the same, then another file: what it removes comes first, and a dry run changes nothing."""
    experiment, model = things
    passwords = tmp_path / "passwords"
    passwords.mkdir()
    for name in ("bert", "carl", "dora"):
        (passwords / name).write_text(f"{PASSWORD}\n")
    file = tmp_path / "accounts.yaml"

    def apply(*wanted: dict[str, Any], more: tuple[str, ...] = ()) -> list[str]:
        file.write_text(yaml.safe_dump({"accounts": list(wanted)}))
        answer = accounts("apply", str(file), "--passwords", str(passwords), "--prune", *more)
        assert answer.code == 0, answer.err
        return answer.out.splitlines()

    bert = {"name": "bert", "grants": [{"experiment": experiment, "permission": "READ"}]}
    carl = {"name": "carl", "admin": True}
    assert apply(bert, carl) == [
        "add account bert",
        f"grant bert READ on experiment {experiment}",
        "add account carl",
        "make carl an administrator",
    ]
    assert reads(server, "bert", experiment) and listed(accounts)["carl"]["admin"]
    assert apply(bert, carl) == ["no change"]
    bert = {"name": "bert", "grants": [{"model": model, "permission": "EDIT"}]}
    expected = [
        "remove account carl",
        f"revoke READ of bert on experiment {experiment}",
        f"grant bert EDIT on model {model}",
        "add account dora",
    ]
    assert apply(bert, {"name": "dora"}, more=("--dry-run",)) == expected
    assert "carl" in listed(accounts) and reads(server, "bert", experiment)
    assert apply(bert, {"name": "dora"}) == expected
    assert listed(accounts).keys() == {ADMIN[0], "bert", "dora"}
    assert not reads(server, "bert", experiment) and not reads(server, "carl", experiment)
    assert apply() == ["remove account bert", "remove account dora"]


def test_what_an_account_has_made_stays_its_own(server: Server, accounts: Command, tmp_path: Path) -> None:
    accounts("add", "erna", password=PASSWORD)
    body = {"name": "of-erna"}
    path = "/api/2.0/mlflow/experiments/create"
    assert requests.post(server.url + path, json=body, auth=("erna", PASSWORD), timeout=60).ok
    file = tmp_path / "accounts.yaml"
    file.write_text("accounts: [{name: erna}]")
    assert accounts("apply", str(file), "--prune").out == "no change\n"
    assert reads(server, "erna", "of-erna")
    accounts("remove", "erna")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accounts: [{name: new}]", "account new: is new and has no password"),
        (
            "accounts: [{name: admin, grants: [{experiment: none, permission: READ}]}]",
            "experiment none: there is none of this name",
        ),
        ("accounts: [{name: a}, {name: a}]", "names a twice"),
        ("accounts: [{name: a, password: secret}]", "lacks a key, or has an unknown one"),
        ("accounts: [{name: 'a:b'}]", "not a name in ASCII, without a colon"),
        ("accounts: [{name: a, grants: [{experiment: b, permission: ALL}]}]", "permission: unknown"),
        ("users: []", "not a list of accounts"),
        ("{", "unreadable"),
    ],
)
def test_a_wrong_file_changes_nothing(accounts: Command, tmp_path: Path, text: str, says: str) -> None:
    before = listed(accounts)
    file = tmp_path / "accounts.yaml"
    file.write_text(text)
    answer = accounts("apply", str(file), "--prune")
    assert (answer.code, answer.out) == (2, "") and says in answer.err, answer.err
    assert listed(accounts) == before


def test_passwords_are_checked_and_no_argument(accounts: Command) -> None:
    for wrong in ("pass word", "not printable\t\t\t", "nicht in ASCII: ä"):
        answer = accounts("add", "fred", password=wrong)
        assert answer.code == 2 and "12 or more characters of printable ASCII" in answer.err
        assert wrong not in answer.err
    assert "fred" not in listed(accounts)
    assert accounts("add", "fred", PASSWORD).code == 2


def test_only_an_administrator_may(
    server: Server, accounts: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts("add", "gerd", password=PASSWORD)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "gerd")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    answer = accounts("add", "hans", password=PASSWORD)
    assert answer.code == 2 and answer.err.endswith("; log in as an administrator.")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong, quite wrong")
    assert "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in accounts("list").err
