"""`mlflowops health` against real servers: well, without a database or a store, or not there at all."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflowops.health import artifact_round_trip
from mlflowops.health import server as health
from runtime.network import free_port
from runtime.postgres import Postgres
from runtime.server import Server, environment, run

from cli.cli import Answer, Cli
from cli.web import serving

CHECKS = ["health", "version", "database", "artifacts"]


def states(answer: Answer) -> dict[str, str]:
    return {check["name"]: check["status"] for check in answer.data["checks"]}


def line(answer: Answer, name: str) -> dict[str, str]:
    return next(check for check in answer.data["checks"] if check["name"] == name)


def test_a_healthy_server(cli: Cli, tracking_server: str) -> None:
    answer = cli("health", "--url", tracking_server, "--output", "json")
    assert answer.code == 0
    assert states(answer) == dict.fromkeys(CHECKS, "ok")
    assert answer.data["ok"] is True
    assert line(answer, "version")["detail"].startswith("MLflow 3.")


def test_the_table_is_for_people(cli: Cli, tracking_server: str) -> None:
    answer = cli("health", "--url", tracking_server)
    assert answer.code == 0
    for name in CHECKS:
        assert name in answer.out


def test_a_url_needs_no_kubernetes(
    cli: Cli, tracking_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert cli("health", "--url", tracking_server + "/").code == 0


def test_it_leaves_nothing_that_grows(cli: Cli, tracking_server: str) -> None:
    client = MlflowClient(tracking_server)
    for _ in range(2):
        assert cli("health", "--url", tracking_server).code == 0
    experiments = client.search_experiments(view_type=ViewType.ALL)
    (ours,) = [each for each in experiments if each.name == artifact_round_trip.EXPERIMENT]
    (run,) = client.search_runs([ours.experiment_id], run_view_type=ViewType.ALL)
    assert client.list_artifacts(run.info.run_id) == []


def test_it_revives_its_experiment(cli: Cli, tracking_server: str) -> None:
    assert cli("health", "--url", tracking_server).code == 0
    client = MlflowClient(tracking_server)
    found = client.get_experiment_by_name(artifact_round_trip.EXPERIMENT)
    assert found
    client.delete_experiment(found.experiment_id)
    assert cli("health", "--url", tracking_server).code == 0


def test_several_at_once_do_not_disturb_each_other(tracking_server: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda _: list(health.checks(health.ServerClient(tracking_server, 60))), range(4))
        )
    assert {check.status for checks in found for check in checks} == {"ok"}


def test_nobody_there(cli: Cli) -> None:
    answer = cli("health", "--url", f"http://127.0.0.1:{free_port()}", "--output", "json")
    assert answer.code == 1
    assert states(answer) == {"health": "red"}
    assert "URL" in line(answer, "health")["fix"]


@pytest.fixture
def stranger() -> Iterator[str]:
    """A web server that is no MLflow."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with serving(Handler) as address:
        yield address


def test_somebody_else_there(cli: Cli, stranger: str) -> None:
    answer = cli("health", "--url", stranger, "--output", "json")
    assert answer.code == 1
    assert states(answer) == {"health": "red"}
    assert "is this an MLflow server?" in line(answer, "health")["fix"]


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A database that a test may turn off."""
    postgres = Postgres().start()
    yield postgres
    postgres.remove()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has its schema and nothing else."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrated(folder, {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder}/mlflow.db"})
    return folder / "mlflow.db"


@pytest.fixture
def sqlite(empty: Path, tmp_path: Path) -> dict[str, str]:
    """A copy of it that one test writes to."""
    shutil.copy(empty, tmp_path)
    return {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/mlflow.db"}


def migrated(folder: Path, database: dict[str, str]) -> dict[str, str]:
    step = run("schema", environment(folder, **database))
    said, _ = step.communicate(timeout=180)
    assert step.returncode == 0, said
    return database


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts the chart's own server."""
    servers: list[Server] = []

    def start_one(**env: str) -> Server:
        servers.append(Server(tmp_path, env).start().ready())
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


def test_a_database_that_is_down(
    cli: Cli, postgres: Postgres, start: Callable[..., Server], tmp_path: Path
) -> None:
    server = start(**migrated(tmp_path, postgres.database("health", "secret")))
    assert cli("health", "--url", server.url).code == 0
    postgres.stop()
    answer = cli("health", "--url", server.url, "--output", "json")
    assert answer.code == 1
    assert answer.data["ok"] is False
    assert (states(answer)["health"], states(answer)["database"]) == ("ok", "red")
    assert "is the database up" in line(answer, "database")["fix"]


def test_a_store_that_is_down(cli: Cli, start: Callable[..., Server], sqlite: dict[str, str]) -> None:
    server = start(
        **sqlite,
        MLFLOW_ARTIFACTS_DESTINATION="s3://mlflow/artifacts",
        MLFLOW_S3_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}",
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="secret",
        AWS_DEFAULT_REGION="us-east-1",
    )
    answer = cli("health", "--url", server.url, "--output", "json")
    assert answer.code == 1
    assert states(answer) == {**dict.fromkeys(CHECKS, "ok"), "artifacts": "red"}
    assert "artifactStore" in line(answer, "artifacts")["fix"]


def test_a_host_name_that_the_server_refuses(
    cli: Cli, start: Callable[..., Server], sqlite: dict[str, str]
) -> None:
    server = start(**sqlite, MLFLOW_SERVER_ALLOWED_HOSTS="mlflow.example.com")
    named = server.url.replace("127.0.0.1", "localhost")  # an address is always allowed
    answer = cli("health", "--url", named, "--output", "json")
    assert answer.code == 1
    assert states(answer)["database"] == "red"
    assert "mlflow.allowedHosts" in line(answer, "database")["fix"]


def test_a_path_prefix(cli: Cli, start: Callable[..., Server], sqlite: dict[str, str]) -> None:
    server = start(**sqlite, MLFLOW_STATIC_PREFIX="/ml")
    assert cli("health", "--url", f"{server.url}/ml").code == 0
    assert cli("health", "--url", server.url).code == 1


def test_artifacts_that_go_around_the_server(
    cli: Cli, start: Callable[..., Server], sqlite: dict[str, str]
) -> None:
    """Whether such a store works can only be seen from where the clients are."""
    server = start(**sqlite)
    MlflowClient(server.url).create_experiment(
        artifact_round_trip.EXPERIMENT, artifact_location="s3://bucket/folder"
    )
    answer = cli("health", "--url", server.url, "--output", "json")
    assert answer.code == 0
    assert states(answer) == {**dict.fromkeys(CHECKS, "ok"), "artifacts": "unknown"}


def test_no_cluster(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    answer = cli("health")
    assert answer.code == 2
    assert answer.err.endswith("or make a cluster: `make up`.")


def test_a_cluster_that_is_silent(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = {
        "clusters": [{"name": "gone", "cluster": {"server": f"https://127.0.0.1:{free_port()}"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "me"}}],
        "users": [{"name": "me", "user": {}}],
        "current-context": "gone",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    answer = cli("health")
    assert answer.code == 2
    assert "deployment/mlflow in namespace 'ml': the Kubernetes API does not answer" in answer.err
    assert "nonsense" in cli("health", "--context", "nonsense").err
