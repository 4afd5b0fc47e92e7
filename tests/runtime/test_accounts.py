"""basic-auth as the chart runs it: accounts beside the runs, the administrator from a Secret, hashed once."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from alembic.script import ScriptDirectory
from mlflow.server.auth.db import utils

from runtime.basic_auth import FLASK_KEY
from runtime.conftest import ODD
from runtime.jobs import JOBS
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import FILES, Server, environment, run

HEAD = ScriptDirectory.from_config(utils._get_alembic_config("")).get_current_head()
# Every character that broke a peer's INI file. No client can send a password that is not ASCII.
PASSWORD = ODD.replace("é", "")
ADMIN = ("admin", PASSWORD)
GATEWAY = "/gateway/mlflow/v1/models"
RUNS = "/api/2.0/mlflow/experiments/get?experiment_id=0"
Accounts = dict[str, str]


@pytest.fixture(scope="module")
def accounts(database: Callable[..., dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """The environment of a server with basic-auth; migrated by three pods at once."""
    env = {
        **database(ODD),
        "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
        "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS",
        "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": FLASK_KEY,
        **JOBS,
    }
    pods = [run("schema", environment(tmp_path_factory.mktemp("schema"), **env)) for _ in range(3)]
    outputs = [pod.communicate(timeout=400)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0] * 3, outputs
    migrated = [output for output in outputs if f"the accounts' schema is migrated ({HEAD})" in output]
    assert len(migrated) == 1, outputs
    return env


@pytest.fixture(scope="module")
def two(start: Callable[..., Server], accounts: Accounts) -> list[Server]:
    """Two servers of two workers, as two pods would be: both make the administrator's account, or find it."""
    servers = [start(**accounts, MLFLOW_WORKERS="2") for _ in range(2)]
    return [server.ready() for server in servers]


def status(server: Server, who: tuple[str, str] | None, path: str = RUNS) -> int:
    return requests.get(server.url + path, auth=who, timeout=60).status_code


def call(server: Server, method: str, path: str, who: tuple[str, str] = ADMIN, **body: str) -> int:
    """A call of the API; its status."""
    answer = requests.request(method, f"{server.url}/api/{path}", json=body, auth=who, timeout=60)
    return answer.status_code


def statuses(servers: list[Server], who: tuple[str, str]) -> set[int]:
    """What every worker says, as far as four new connections each find them."""
    return {status(server, who) for server in servers for _ in range(4)}


def test_the_accounts_are_beside_the_runs(postgres: Postgres, accounts: Accounts) -> None:
    found = postgres.query("SELECT version_num FROM alembic_version_auth", accounts["PGDATABASE"])
    assert found == [(HEAD,)]


def test_only_the_administrator_of_the_secret_gets_in(two: list[Server]) -> None:
    for server in two:
        assert [status(server, who) for who in (ADMIN, ("admin", "wrong password"), None)] == [200, 401, 401]


def test_artifacts_take_the_same_password(two: list[Server]) -> None:
    """MLflow answers them in another app, with a login of its own."""
    path = "/api/2.0/mlflow-artifacts/artifacts/0/note.txt"
    assert requests.put(two[0].url + path, data="words", auth=ADMIN, timeout=60).ok
    assert [status(two[0], who, path) for who in (ADMIN, ("admin", "wrong password"))] == [200, 401]


def test_the_gateway_takes_jobs_for_their_users(two: list[Server], accounts: Accounts) -> None:
    """By a token that pods of one key agree on, for the gateway alone."""
    code = f"import os, sys; sys.path.append({str(FILES)!r}); from mlflow_kubernetes.server import auth; "
    code += "auth.share_gateway_token(); print(os.environ['_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN'])"
    told = subprocess.run(
        [sys.executable, "-c", code], env=accounts, capture_output=True, text=True, check=True
    )
    job = ("admin", told.stdout.strip())
    for server in two:
        assert status(server, job) == status(server, ("admin", "wrong password"), GATEWAY) == 401
        assert status(server, job, GATEWAY) not in (401, 403)


def test_no_file_holds_the_password(two: list[Server]) -> None:
    ini = two[0].folder / "basic_auth.ini"
    assert ini.stat().st_mode & 0o777 == 0o600
    assert [line for line in ini.read_text().splitlines() if line] == [
        "[mlflow]",
        "database_uri = postgresql+psycopg2://",
        "default_permission = NO_PERMISSIONS",
        "auth_cache_ttl_seconds = 0",
    ]
    assert PASSWORD not in two[0].log.read_text()


def test_a_user_has_the_default_permission_and_what_is_granted(two: list[Server]) -> None:
    user = ("anna", "a long password")
    assert call(two[0], "POST", "2.0/mlflow/users/create", username=user[0], password=user[1]) == 200
    assert statuses(two, user) == {403}
    grant = {"username": "anna", "resource_type": "experiment", "resource_id": "0", "permission": "READ"}
    assert call(two[0], "POST", "3.0/mlflow/users/permissions/grant", **grant) == 200
    assert statuses(two, user) == {200}
    rename = {"experiment_id": "0", "new_name": "mine"}
    assert call(two[1], "POST", "2.0/mlflow/experiments/update", user, **rename) == 403


def test_a_new_password_counts_at_once_everywhere(two: list[Server]) -> None:
    """Every worker of every pod has seen the old one and must not remember it."""
    old, new = ("bert", "the old password"), ("bert", "the new password")
    assert call(two[0], "POST", "2.0/mlflow/users/create", username="bert", password=old[1]) == 200
    assert statuses(two, old) == {403}
    assert call(two[0], "PATCH", "2.0/mlflow/users/update-password", username="bert", password=new[1]) == 200
    assert statuses(two, old) == {401}
    assert statuses(two, new) == {403}
    assert call(two[0], "DELETE", "2.0/mlflow/users/delete", username="bert") == 200
    assert statuses(two, new) == {401}


def test_a_password_is_hashed_once(two: list[Server]) -> None:
    """15 hashes take 1 s of CPU, with 32 MiB each; each other name is hashed too, known or not."""
    with requests.Session() as session:  # one connection, hence one worker
        session.auth = ADMIN
        session.get(two[0].url + RUNS, timeout=60)
        before = _cpu(two[0])
        for _ in range(15):
            assert session.get(two[0].url + RUNS, timeout=60).ok
        between = _cpu(two[0])
        for number in range(15):
            session.auth = (f"nobody{number}", "wrong")
            assert session.get(two[0].url + RUNS, timeout=60).status_code == 401
    assert between - before < (_cpu(two[0]) - between) / 2


def _cpu(server: Server) -> float:
    """Seconds of CPU that the workers have used."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in server.workers()]
    return sum(int(each[11]) + int(each[12]) for each in fields) / 100


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_a_changed_secret_is_the_password_of_the_next_start(
    start: Callable[..., Server], two: list[Server], accounts: Accounts, launcher: str
) -> None:
    """And the pods that still run accept it with the next request."""
    new = f"{launcher} changed this password"
    settings = {"MLFLOW_AUTH_ADMIN_PASSWORD": new, "MLFLOW_KUBERNETES_LAUNCHER": launcher}
    server = start(**accounts | settings).ready()
    assert [status(each, ("admin", new)) for each in (server, *two)] == [200, 200, 200]
    assert [status(each, ADMIN) for each in (server, *two)] == [401, 401, 401]
    assert "mlflow: auth: admin has the password of the Secret now." in server.log.read_text()
    assert new not in server.log.read_text()
    server.stop()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MLFLOW_AUTH_ADMIN_PASSWORD", "a pässword of length", "holds more than printable ASCII"),
        ("MLFLOW_AUTH_ADMIN_PASSWORD", "a pass\nword of length", "holds more than printable ASCII"),
        ("MLFLOW_AUTH_ADMIN_USERNAME", "ad:min", "holds a colon"),
    ],
)
def test_an_account_that_nobody_could_use_is_refused(
    accounts: Accounts, home: Path, variable: str, value: str, words: str
) -> None:
    done = ended(home, **accounts | {variable: value})
    assert done.returncode == 1
    assert done.stdout.startswith(f"mlflow: server: {variable}: it {words}"), done.stdout
    assert done.stdout.endswith("; change it in the Secret of auth.basic.adminFromSecret.\n")
    assert value not in done.stdout


def test_a_short_password_stops_the_new_pod(accounts: Accounts, home: Path) -> None:
    done = ended(home, **accounts | {"MLFLOW_AUTH_ADMIN_PASSWORD": "short"})
    assert done.returncode == 1
    assert "Password must be at least 12 characters" in done.stdout


def ended(home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    process = run("server", environment(home, **env))
    output, _ = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def test_the_embedded_database_holds_accounts_too(start: Callable[..., Server], accounts: Accounts) -> None:
    env = {name: value for name, value in accounts.items() if not name.startswith("PG")}
    server = start(**env | {"MLFLOW_BACKEND_STORE_URI": "sqlite:///%41.db"}).ready()  # `%`: INI's own sign
    wait_until("the administrator", lambda: status(server, ADMIN) == 200)
    assert status(server, None) == 401
