"""Background jobs: servers write them down, one runner beside them does them."""

from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient
from mlflow.genai.scorers import scorer

from runtime.jobs import JOBS, Runner, commands, job, score
from runtime.network import wait_until
from runtime.server import Server
from runtime.traces import trace


@scorer
def slow(outputs) -> bool:  # type: ignore[no-untyped-def]  # its source goes to the server, which has none of our names
    import os
    import time

    with open(os.path.expanduser("~/started"), "a") as file:
        file.write("x")
    while not os.path.exists(os.path.expanduser("~/go")):
        time.sleep(0.1)
    return True


def test_a_runner_does_what_servers_write_down(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]], home: Path
) -> None:
    """Once, though the first runner dies over it and there are two servers."""
    env = {**ready_database(), **JOBS, "MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "true"}
    servers = [server.ready() for server in [start(**env), start(**env)]]
    asked, other = (server.url for server in servers)
    scored = trace(asked)
    job_id = score(asked, scored, slow)
    started = home / "started"
    with Runner(home, env) as first:
        wait_until("the start of the job", started.exists)
        wait_until(
            "the periodic tasks", lambda: "_periodic_tasks_consumer" in str(commands(first.process.pid))
        )
        for server in servers:
            assert len(commands(server.process.pid)) == 1, "its worker, and nothing that runs jobs"
    assert job(other, job_id)["status"] == "RUNNING"
    (home / "go").touch()
    with Runner(home, env) as second:
        wait_until("the end of the job", lambda: job(other, job_id)["status"] == "SUCCEEDED")
        second.process.terminate()
        assert second.process.wait(30) == 0, second.log.read_text()
    assert started.read_text() == "xx"
    (assessment,) = MlflowClient(other).get_trace(scored).info.assessments
    assert assessment.value is True
