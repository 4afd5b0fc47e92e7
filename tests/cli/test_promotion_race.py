"""Two CI jobs promote at once: real processes, a real server, many times."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflowops.errors import OpsError
from mlflowops.paths import REPO
from mlflowops.promotion.lock import HOLDER, Lease, exclusive

from cli.models import champion, new_model

ROUNDS = 40
SCRIPT = Path(__file__).with_name("race.py")
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}


def job(address: str, model: str, versions: list[int]) -> "subprocess.Popen[str]":
    words = [sys.executable, str(SCRIPT), address, model, *map(str, versions)]
    env = {**os.environ, **QUIET, "PYTHONPATH": str(REPO / "scripts")}
    return subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def race(address: str, model: str, *shares: list[int]) -> list[dict[str, Any]]:
    """Start one job per share of the versions, let all loose at once, return every report."""
    jobs = [job(address, model, versions) for versions in shares]
    for each in jobs:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in jobs:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    answers = [each.communicate()[0] for each in jobs]
    assert [each.returncode for each in jobs] == [0] * len(jobs)
    return [json.loads(line) for answer in answers for line in answer.splitlines()]


def test_promotions_of_two_jobs_happen_one_after_the_other(
    server: MlflowClient, tracking_server: str
) -> None:
    """Version n scores n. Whatever the order, each winner must have beaten the winner before it."""
    model = new_model(server, *({"score": float(n)} for n in range(1, ROUNDS + 1)))
    reports = race(tracking_server, model, list(range(1, ROUNDS + 1, 2)), list(range(2, ROUNDS + 1, 2)))
    assert len(reports) == ROUNDS
    won = sorted(
        (each for each in reports if each["decision"] == "promoted"), key=lambda each: int(each["version"])
    )
    assert [each["champion_before"] for each in won] == [None, *(each["version"] for each in won[:-1])]
    assert champion(server, model) == str(ROUNDS)
    production = [each.version for each in server.search_model_versions(f"name = '{model}'")
                  if each.current_stage == "Production"]  # fmt: skip
    assert [str(version) for version in production] == [str(ROUNDS)]
    assert not server.search_registered_models(f"name LIKE '{model}.%'")


def test_a_dead_jobs_lock_is_broken_by_one_of_the_waiting(server: MlflowClient) -> None:
    """Four jobs find the lock of a dead one; all get their turn and no two at once."""
    model = new_model(server)
    server.create_registered_model(f"{model}.promoting", tags={HOLDER: "dead"})
    inside, most, turns = 0, 0, 0
    count = threading.Lock()

    def work() -> None:
        nonlocal inside, most, turns
        with exclusive(server, model, wait=120, lease=4):
            with count:
                inside += 1
                most = max(most, inside)
            time.sleep(0.2)
            with count:
                inside -= 1
                turns += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (turns, most) == (4, 1)
    assert not server.search_registered_models(f"name LIKE '{model}.%'")


def test_a_lock_of_a_living_job_is_waited_for_then_reported(server: MlflowClient) -> None:
    model = new_model(server)
    with (
        exclusive(server, model, wait=1),
        pytest.raises(
            OpsError, match=f"held the lock for 1 s; .* delete the registered model {model}.promoting"
        ),
        exclusive(server, model, wait=1),
    ):
        pytest.fail("two jobs hold one lock")


def test_a_lease_that_is_half_over_forbids_the_change(server: MlflowClient) -> None:
    lease = Lease("any", seconds=0)
    time.sleep(0.01)
    with pytest.raises(OpsError, match="the lock ran out; nothing was changed; run it again"):
        lease.check()


def test_an_overdue_job_does_not_take_away_its_successors_lock(server: MlflowClient) -> None:
    model = new_model(server)
    with exclusive(server, model, wait=1, lease=0.2):
        time.sleep(0.3)
        server.set_registered_model_tag(f"{model}.promoting", HOLDER, "successor")
    assert server.get_registered_model(f"{model}.promoting").tags[HOLDER] == "successor"
