"""Any password works, because none is ever written into a URL, an ini file or a command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from runtime.conftest import LONG, ODD
from runtime.s3 import S3
from runtime.server import Server, environment, run


@pytest.mark.parametrize(
    ("launcher", "account", "password"),
    [("direct", "odd", ODD), ("direct", "long", LONG), ("upstream", "odd", ODD)],
    ids=["direct, odd", "direct, 128 characters", "upstream, odd"],
)
def test_any_password_works(
    start: Callable[..., Server],
    database: Callable[..., dict[str, str]],
    s3: S3,
    home: Path,
    launcher: str,
    account: str,
    password: str,
) -> None:
    """For the migration, the server, and the presigned URLs that it makes for clients."""
    where = database(password)
    step = run("schema", environment(home, **where))
    said, _ = step.communicate(timeout=300)
    assert step.returncode == 0, said
    server = start(MLFLOW_KUBERNETES_LAUNCHER=launcher, **where, **s3.environment(account)).ready()
    client = MlflowClient(server.url)
    run_id = client.create_run(client.create_experiment("passwords")).info.run_id
    client.log_text(run_id, "through a presigned URL", "client.txt")
    proxy = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{run_id}.txt"
    assert requests.put(proxy, data=b"through the proxy", timeout=60).ok
    assert requests.get(proxy, timeout=60).content == b"through the proxy"
    artifact = client.download_artifacts(run_id, "client.txt", str(home))
    assert Path(artifact).read_text() == "through a presigned URL"
    arguments = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (server.process.pid, *server.workers())]
    assert server.stop() == 0
    assert password not in said + server.log.read_text() + "".join(arguments)
