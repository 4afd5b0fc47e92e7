"""`mlflowops best-run` against a real tracking server."""

import math
from uuid import uuid4

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from cli.cli import Cli

RUNS = {
    "good": {"test_f1": 0.9, "test_rmse": 3.0},
    "better": {"test_f1": 0.95, "test_rmse": 2.0},
    "same": {"test_f1": 0.9, "test_rmse": 4.0},
    "negative": {"test_f1": -1.0, "test_rmse": 9.0},
    "not-a-number": {"test_f1": math.nan, "test_rmse": math.nan},
    "infinite": {"test_f1": math.inf, "test_rmse": -math.inf},
    "without": {"other": 1.0},
}


@pytest.fixture(scope="module")
def experiment(tracking_server: str) -> str:
    client = MlflowClient(tracking_server)
    name = f"best-{uuid4().hex[:6]}"
    experiment = client.create_experiment(name)
    for start, (run_name, metrics) in enumerate(RUNS.items(), 1):
        run = client.create_run(experiment, start_time=start, run_name=run_name).info.run_id
        client.log_batch(
            run, [Metric(key, value, 0, 0) for key, value in metrics.items()], [Param("kind", run_name[0])]
        )
    return name


def names(cli: Cli, *words: object) -> list[str]:
    answer = cli("best-run", *words, "--output", "json")
    assert answer.code == 0, answer.err
    return [run["run_name"] for run in answer.data]


def test_more_is_better_and_ties_go_to_the_older_run(cli: Cli, server: MlflowClient, experiment: str) -> None:
    assert names(cli, experiment, "-m", "test_f1") == ["better"]
    assert names(cli, experiment, "-m", "test_f1", "-n", "3") == ["better", "good", "same"]


def test_nan_infinity_and_absence_do_not_take_part(cli: Cli, server: MlflowClient, experiment: str) -> None:
    assert names(cli, experiment, "-m", "test_f1", "-n", "99") == ["better", "good", "same", "negative"]


def test_less_is_better_for_errors(cli: Cli, server: MlflowClient, experiment: str) -> None:
    assert names(cli, experiment, "-m", "test_rmse", "-n", "2") == ["better", "good"]


def test_the_direction_can_be_told(cli: Cli, server: MlflowClient, experiment: str) -> None:
    assert names(cli, experiment, "-m", "test_f1", "--direction", "min") == ["negative"]
    assert names(cli, experiment, "-m", "test_rmse", "--direction", "max") == ["negative"]


def test_a_filter_narrows(cli: Cli, server: MlflowClient, experiment: str) -> None:
    assert names(cli, experiment, "-m", "test_f1", "-f", "params.kind = 'g'", "-n", "9") == ["good"]


def test_people_get_a_table(cli: Cli, server: MlflowClient, experiment: str) -> None:
    out = cli("best-run", experiment, "-m", "test_f1").out
    assert "better" in out
    assert "0.95" in out
    assert "kind=b" in out


def test_pages_are_followed(
    cli: Cli, server: MlflowClient, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlflowops.best_run.PAGE", 1)
    assert names(cli, experiment, "-m", "test_f1", "-n", "99") == ["better", "good", "same", "negative"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["absent", "-m", "f1"], 2, "experiment absent: does not exist;"),
        (["{experiment}", "-m", "f2"], 1, "--metric f2: no run of"),
        (["{experiment}", "-m", "f1", "-f", "nonsense"], 2, "correct it and run again."),
    ],
)
def test_nothing_to_show_is_one_sentence(
    cli: Cli, server: MlflowClient, experiment: str, words: list[str], code: int, message: str
) -> None:
    answer = cli("best-run", *(word.format(experiment=experiment) for word in words))
    assert answer.code == code
    assert message in answer.err
