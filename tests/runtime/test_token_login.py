"""Logins to PostgreSQL by a token of the cloud: every program has a fresh one at each new connection."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from mlflow.genai.scorers import scorer

from runtime.backups import Pod
from runtime.clouds import Aws, Cloud, EntraId
from runtime.conftest import ODD
from runtime.jobs import JOBS, Runner, job, score
from runtime.metrics import Metrics
from runtime.network import wait_until
from runtime.s3 import BUCKET, S3
from runtime.server import FILES, Server, environment
from runtime.tasks import RETENTION, Env, Store, run_task
from runtime.token_postgres import TokenPostgres
from runtime.traces import trace


@pytest.fixture(scope="module")
def token_postgres() -> Iterator[TokenPostgres]:
    """A PostgreSQL that asks a cloud."""
    server = TokenPostgres()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def cloud(request: pytest.FixtureRequest, token_postgres: TokenPostgres, home: Path) -> Cloud:
    """The one that a test names, AWS if it names none."""
    aws = getattr(request, "param", "aws") == "aws"
    # The account that has rights in the object store too: the pod is one identity to its cloud.
    token_postgres.cloud = Aws(token_postgres.port, odd=ODD) if aws else EntraId(home)
    return token_postgres.cloud


@pytest.fixture
def env(token_postgres: TokenPostgres, cloud: Cloud, home: Path) -> Env:
    """The variables of a pod, for a database of its own with MLflow's tables, which a token has made."""
    found = token_postgres.token_database(f"t{uuid.uuid4().hex[:8]}")
    found |= {**cloud.environment(), "PGPASSFILE": str(home / "pgpass")}
    assert "is migrated" in run_task("schema", home, found)
    return found


def connect(env: Env, home: Path) -> str:
    """The database that a command of `kubectl exec` opens, which knows the environment of the pod only."""
    code = "import psycopg2; print(psycopg2.connect('').info.dbname)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(home, **env), capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def searches(server: Server) -> bool:
    """Whether it finds an experiment in its database."""
    answer = requests.get(f"{server.url}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=60)
    return answer.ok


@pytest.mark.parametrize(
    ("cloud", "launcher"), [("aws", "direct"), ("entra", "upstream")], indirect=["cloud"]
)
def test_a_server_outlives_its_tokens(
    start: Callable[..., Server],
    token_postgres: TokenPostgres,
    cloud: Cloud,
    env: Env,
    home: Path,
    launcher: str,
) -> None:
    """All its connections end, and no token that it had before opens another one."""
    server = start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **env).ready()
    assert searches(server)
    for _ in range(2):
        seen = list(cloud.accepted)
        cloud.expire()
        token_postgres.disconnect(env["PGUSER"])
        wait_until("a login with a newer token", lambda: searches(server))
        assert cloud.accepted[-1] not in seen
    assert connect(env, home) == env["PGDATABASE"]
    assert not set(cloud.accepted) & set(server.log.read_text().split())
    assert server.stop() == 0


@scorer
def right(outputs) -> bool:  # type: ignore[no-untyped-def]  # its source goes to the server
    return True


def test_jobs_log_in_with_newer_tokens(
    start: Callable[..., Server], token_postgres: TokenPostgres, cloud: Cloud, env: Env, home: Path
) -> None:
    """The runner, and the processes that MLflow starts in it."""
    env = {**env, **JOBS, "MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "true"}
    server = start(**env).ready()
    with Runner(home, {**env, "PGPASSFILE": str(home / "runner")}):
        cloud.expire()
        token_postgres.disconnect(env["PGUSER"])
        wait_until("a newer token", lambda: searches(server))
        job_id = score(server.url, trace(server.url), right)
        wait_until("the end of the job", lambda: job(server.url, job_id)["status"] == "SUCCEEDED")


@pytest.fixture
def pod(token_postgres: TokenPostgres, env: Env, s3: S3, home: Path) -> Pod:
    """A Job with a database and a bucket."""
    region = env.get("AWS_DEFAULT_REGION", "us-east-1")
    found = {**s3.environment("odd"), **env, "AWS_DEFAULT_REGION": region}
    return Pod(Store(token_postgres, s3, found), home)


@pytest.mark.parametrize("cloud", ["aws", "entra"], indirect=True)
def test_backup_restore_and_drill(pod: Pod, token_postgres: TokenPostgres, cloud: Cloud) -> None:
    """Each program logs in by itself, PostgreSQL's own ones too."""
    pod.store.query("INSERT INTO registered_models (name, workspace) VALUES ('champion', 'default')")
    before = pod.content()
    for step in (pod.backup, pod.restore):
        logins = len(cloud.accepted)
        cloud.expire()
        step()
        assert len(cloud.accepted) > logins + 1, "Python's, and one of pg_dump or psql"
        pod.store.query("DELETE FROM registered_models") if step == pod.backup else None
    assert pod.content() == before
    token_postgres.query(f'ALTER ROLE "{pod.env["PGUSER"]}" CREATEDB')
    assert "as counted" in pod.restore(f"--scratch={pod.env['PGDATABASE']}_drill")
    assert not (pod.home / "settings").exists()


def test_retention_and_exporter(pod: Pod, cloud: Cloud, home: Path) -> None:
    pod.store.env["MLFLOW_ARTIFACTS_DESTINATION"] = f"s3://{BUCKET}/{pod.env['PGDATABASE']}"
    pod.store.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    old = pod.store.runs(3, ended=91)
    cloud.expire()
    run_task("retention", home, pod.store.env, *RETENTION)
    assert pod.store.left() == dict.fromkeys(old, "deleted")
    metrics = Metrics(home, ("stores",), pod.store.env).start().ready()
    wait_until("the checks", lambda: "mlflow_runs_total" in metrics.page().names())
    cloud.expire()
    checks = cloud.accepted[-1]
    wait_until("checks with a newer token", lambda: cloud.accepted[-1] != checks)
    metrics.process.terminate()
    assert metrics.process.wait(60) == 0


def test_a_process_is_not_forked_while_a_library_fetches_a_token(home: Path) -> None:
    """A fork waits for it: in the child, locks that the library holds would stay closed."""
    sys.path.append(str(FILES))
    try:
        from mlflow_kubernetes.stores.cloud_tokens import TokenSource
        from mlflow_kubernetes.stores.token_file import TokenFile
    finally:
        sys.path.remove(str(FILES))
    fetching, go, order = threading.Event(), threading.Event(), []

    class Slow(TokenSource):
        def fetch(self) -> str:
            fetching.set()
            assert go.wait(60)
            order.append("token")
            return "x"

    file = TokenFile(home / "pgpass", Slow())
    file.start(0.01)
    assert fetching.wait(60)

    def fork() -> None:
        if (child := os.fork()) == 0:
            os._exit(len(order))
        order.append("fork")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) >= 1

    forking = threading.Thread(target=fork)
    forking.start()
    forking.join(0.2)
    go.set()
    forking.join(60)
    assert order[0] == "token" and "fork" in order


NO_IDENTITY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (NO_IDENTITY, "there is no token (Unable to locate credentials); let the pod's ServiceAccount have"),
        ({"AWS_DEFAULT_REGION": ""}, "the AWS region of 127.0.0.1 is not in its name; set AWS_REGION in"),
    ],
)
def test_without_an_identity_it_ends_in_a_sentence(env: Env, home: Path, more: Env, wrong: str) -> None:
    log = run_task("schema", home, {**env, **more}, code=1)
    assert log.startswith("mlflow: schema: backendStore.postgres.login: ") and log.count("\n") == 1
    assert wrong in log


@pytest.mark.parametrize(
    ("cloud", "package", "module"),
    [("aws", "botocore", "botocore"), ("entra", "azure-identity", "azure.identity")],
    indirect=["cloud"],
)
def test_without_its_library_it_ends_in_a_sentence(env: Env, home: Path, package: str, module: str) -> None:
    """An image that lacks it: one of PYTHONPATH's own keeps Python from finding it."""
    block = f"import sys; sys.modules[{module!r}] = None\n"
    (home / "sitecustomize.py").write_text(block)
    log = run_task("schema", home, {**env, "PYTHONPATH": str(home)}, code=1)
    assert f"{env['MLFLOW_KUBERNETES_POSTGRES_LOGIN']} needs Python's package {package}, which" in log


def test_a_password_of_envfrom_does_not_count(env: Env, home: Path) -> None:
    assert "is up to date" in run_task("schema", home, {**env, "PGPASSWORD": "wrong"})


def test_a_token_of_another_role_or_server_is_refused(env: Env, token_postgres: TokenPostgres) -> None:
    """The check of this test is a real one."""
    token = Path(env["PGPASSFILE"]).read_text().removeprefix("*:*:*:*:").strip().replace("\\:", ":")
    cloud = token_postgres.cloud
    assert cloud.valid(env["PGUSER"], token)
    assert not cloud.valid("other", token)
    assert not cloud.valid(env["PGUSER"], token.replace("127.0.0.1", "127.0.0.2"))
    assert not cloud.valid(env["PGUSER"], token.replace(env["PGUSER"], "other"))
    cloud.expire()
    assert not cloud.valid(env["PGUSER"], token)
