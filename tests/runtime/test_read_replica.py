"""Reads go to a real standby, and to the primary while it is away; its lag is measured."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.exceptions import MlflowException

from runtime.basic_auth import FLASK_KEY
from runtime.metrics import Metrics
from runtime.network import free_port, wait_until
from runtime.postgres import Postgres
from runtime.server import Server, environment, run
from runtime.standby import Standby

Env = dict[str, str]
NAME = "mlflow"


@pytest.fixture(scope="module")
def its_standby(own_postgres: Postgres, own_tables: Env) -> Iterator[Standby]:
    server = Standby(own_postgres)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def standby(its_standby: Standby) -> Iterator[Standby]:
    """It is up and replays, before a test and after it."""
    yield its_standby
    if not its_standby.process:
        its_standby.start()
    its_standby.resume()


@pytest.fixture
def env(own_tables: Env, standby: Standby) -> Env:
    """As the chart sets it."""
    return {**own_tables, **replica("127.0.0.1", standby.port)}


def replica(host: str, port: int) -> Env:
    names = ("MLFLOW_KUBERNETES_READ_REPLICA_HOST", "MLFLOW_KUBERNETES_READ_REPLICA_PORT")
    return dict(zip(names, (host, str(port)), strict=True))


def uri(own_tables: Env) -> Env:
    """From a Secret, with options that are right for the primary only."""
    place = f"{NAME}:{NAME}@primary.example.com:{own_tables['PGPORT']}/{NAME}"
    options = "hostaddr=127.0.0.1&target_session_attrs=read-write"
    return {"MLFLOW_KUBERNETES_POSTGRES_URI": f"postgresql://{place}?{options}"}


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_reads_go_to_the_standby(
    launcher: str, env: Env, own_tables: Env, standby: Standby, start: Callable[..., Server]
) -> None:
    """While it does not replay, a search does not find what was written; the primary takes the writes."""
    way = env if launcher == "direct" else {**env, **uri(own_tables)}
    client = MlflowClient(start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **way).ready().url)
    experiment = client.create_experiment(launcher)
    standby.catch_up()
    standby.pause()
    run_id = client.create_run(experiment).info.run_id
    client.log_metric(run_id, "loss", 1)
    client.create_registered_model(launcher)
    assert client.search_runs([experiment]) == []
    assert client.search_registered_models(f"name = '{launcher}'") == []
    standby.resume()
    assert client.get_run(run_id).data.metrics == {"loss": 1}
    assert [run.info.run_id for run in client.search_runs([experiment])] == [run_id]
    assert client.get_registered_model(launcher).name == launcher


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_a_job_needs_no_replay(
    launcher: str, env: Env, standby: Standby, start: Callable[..., Server]
) -> None:
    """What it writes and reads by its id or name is found on the primary, if not on the standby."""
    client = MlflowClient(start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **env).ready().url)
    standby.catch_up()
    standby.pause()
    name = f"job {launcher}"
    experiment = client.create_experiment(name)
    assert client.get_experiment_by_name(name).experiment_id == experiment
    run_id = client.create_run(experiment).info.run_id
    client.log_batch(run_id, [Metric("loss", 1, 1, 1)], [Param("depth", "1")])
    client.log_inputs(run_id, [DatasetInput(Dataset("data", "digest", "source", "type"))])
    client.log_text(run_id, "words", "note.txt")
    model = client.create_logged_model(experiment, "logged")
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model(name)
    version = client.create_model_version(name, "s3://bucket/model", run_id).version
    client.set_registered_model_alias(name, "champion", version)
    client.set_model_version_tag(name, version, "key", "value")
    client.set_terminated(run_id)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert client.get_model_version_by_alias(name, "champion").version == version
    assert client.search_runs([experiment]) == [], "a search has what the standby has"
    with pytest.raises(MlflowException, match="not found"):
        client.get_run("0" * 32)


ADMIN, ANNA = ("admin", "a long admin password"), ("anna", "a long password of anna")
ACCOUNTS = {
    "MLFLOW_KUBERNETES_APP_NAME": "basic-auth",
    "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS",
    "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
    "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
    "MLFLOW_FLASK_SERVER_SECRET_KEY": FLASK_KEY,
}


@pytest.mark.parametrize("launcher", ["direct", "upstream"])
def test_an_account_needs_no_replay(
    launcher: str, env: Env, standby: Standby, start: Callable[..., Server], home: Path
) -> None:
    """Whose run it is, and who may see it, is read from the primary; another account gets 403."""
    assert run("schema", environment(home, **env, **ACCOUNTS)).wait(300) == 0
    server = start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **env, **ACCOUNTS).ready()
    anna, bert = ((f"{name} {launcher}", ANNA[1]) for name in ("anna", "bert"))

    def call(method: str, path: str, who: tuple[str, str] = anna, **body: object) -> requests.Response:
        url = f"{server.url}/api/2.0/mlflow/{path}"
        return requests.request(method, url, json=body, auth=who, timeout=60)

    for name, password in (anna, bert):
        assert call("POST", "users/create", ADMIN, username=name, password=password).ok
    standby.catch_up()
    standby.pause()
    made = call("POST", "experiments/create", name=f"of anna {launcher}").json()["experiment_id"]
    answer = call("POST", "runs/create", experiment_id=made, start_time=1)
    run_id = answer.json()["run"]["info"]["run_id"]
    assert call("POST", "runs/log-metric", run_id=run_id, key="loss", value=1, timestamp=1).ok
    assert call("GET", f"runs/get?run_id={run_id}").ok
    assert call("GET", f"runs/get?run_id={run_id}", bert).status_code == 403
    assert call("POST", "registered-models/create", name=f"model {launcher}").ok
    version = {"name": f"model {launcher}", "source": f"runs:/{run_id}/model", "run_id": run_id}
    assert call("POST", "model-versions/create", **version).ok
    assert call("POST", "runs/update", run_id=run_id, status="FINISHED").ok
    assert call("POST", "runs/search", experiment_ids=[made]).json().get("runs", []) == []


@pytest.mark.parametrize("fast", ["true", "false"], ids=["fast", "own"])
def test_the_primary_answers_while_the_standby_is_away(
    fast: str, env: Env, standby: Standby, start: Callable[..., Server]
) -> None:
    """Connections that break are an error 503 at most, which clients send again; no worker restarts."""
    server = start(MLFLOW_KUBERNETES_FAST_PATHS=fast, **env).ready()
    client, workers = MlflowClient(server.url), server.workers()
    experiment = client.create_experiment(f"away {fast}")
    standby.catch_up()
    assert client.search_runs([experiment]) == []
    standby.stop(signal.SIGQUIT)
    run_id = client.create_run(experiment).info.run_id
    search, body = f"{server.url}/api/2.0/mlflow/runs/search", {"experiment_ids": [experiment]}
    answers = [requests.post(search, json=body, timeout=60) for _ in range(20)]
    assert {each.status_code for each in answers} <= {200, 503}
    assert [run["info"]["run_id"] for run in answers[-1].json()["runs"]] == [run_id]
    assert requests.get(f"{server.url}/health", timeout=60).ok
    assert server.workers() == workers


def test_a_server_starts_without_the_standby(
    own_tables: Env, start: Callable[..., Server], home: Path
) -> None:
    """Nothing listens there, and a port that is filtered would cost PGCONNECT_TIMEOUT."""
    away = {**own_tables, **replica("127.0.0.1", free_port())}
    step = run("schema", environment(home, **away))
    output, _ = step.communicate(timeout=300)
    assert step.returncode == 0, output
    assert "the read replica does not answer, so the primary will" in output
    client = MlflowClient(start(**away).ready().url)
    assert client.get_experiment(client.create_experiment("without")).name == "without"


def test_a_migration_waits_for_the_standby(own_postgres: Postgres, standby: Standby, home: Path) -> None:
    """MLflow refuses to start while the old schema is there; this step waits, or says what is wrong."""
    empty = {**own_postgres.database("empty", "empty"), **replica("127.0.0.1", standby.port)}
    standby.catch_up()
    standby.pause()
    step = run("schema", environment(home, MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS="2", **empty))
    output, _ = step.communicate(timeout=300)
    assert step.returncode == 1
    assert "the read replica is at no revision after 2 s" in output
    step = run("schema", environment(home, **empty))
    assert step.stdout
    lines = iter(step.stdout.readline, "")
    assert any("the read replica is at no revision; waiting for" in line for line in lines)
    standby.resume()
    assert step.wait(300) == 0


@pytest.fixture
def exporter(env: Env, home: Path) -> Iterator[Metrics]:
    metrics = Metrics(home, ("stores",), env).start().ready()
    yield metrics
    assert metrics.stop() == 0


UP, LAG = "mlflow_database_replica_up", "mlflow_database_replica_lag_seconds"


def write(own_postgres: Postgres) -> None:
    own_postgres.query("CREATE TABLE IF NOT EXISTS written (at float)", NAME)
    own_postgres.query("INSERT INTO written VALUES (%s)", NAME, [time.time()])


def grows(metrics: Metrics) -> bool:
    """The lag goes up with the clock, whatever is written."""
    first = metrics.page().sum(LAG)
    wait_until("a greater lag", lambda: metrics.page().sum(LAG) > first + 0.5)
    return True


def test_the_lag(exporter: Metrics, own_postgres: Postgres, standby: Standby) -> None:
    write(own_postgres)
    standby.catch_up()
    exporter.until(1, UP)
    exporter.until(0, LAG)  # and it stays so, although the last transaction gets older
    standby.pause()
    assert exporter.page().sum(LAG) == 0, "nothing is written meanwhile"
    write(own_postgres)
    wait_until("a lag", lambda: exporter.page().sum(LAG) > 0)
    assert grows(exporter)
    standby.resume()
    exporter.until(0, LAG)
    standby.stop()
    page = exporter.until(0, UP)
    assert LAG not in page.names()
    assert page.sum("mlflow_database_up") == 1


def test_the_lag_of_a_standby_that_receives_nothing(
    exporter: Metrics, own_postgres: Postgres, standby: Standby
) -> None:
    """It has replayed all that it received, and yet it falls behind."""
    write(own_postgres)
    standby.catch_up()
    exporter.until(0, LAG)
    with standby.cut_off():
        write(own_postgres)
        wait_until("a lag", lambda: exporter.page().sum(LAG) > 0)
        assert grows(exporter)
    exporter.until(0, LAG)
