"""`mlflowops promote` against a real tracking server."""

import math
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from cli.cli import Cli
from cli.models import add_version, champion, new_model
from cli.old_server import without_stages

GATE = ["--min", "test_f1=0.8", "--output", "json"]


def test_the_newest_version_becomes_champion(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.1}, {"test_f1": 0.9})
    answer = cli("promote", model, *GATE)
    assert answer.code == 0, answer.err
    assert answer.data["decision"] == "promoted"
    assert answer.data["checks"] == [
        {"metric": "test_f1", "rule": "at least 0.8", "value": 0.9, "passed": True, "detail": ""}
    ]
    assert champion(server, model) == "2"
    promoted = server.get_model_version(model, "2")
    assert promoted.current_stage == "Production"
    assert promoted.tags["mlflowops.promoted_at"]


def test_a_version_below_the_threshold_is_refused(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.79})
    answer = cli("promote", model, *GATE)
    assert answer.code == 1
    assert answer.data["decision"] == "refused"
    assert champion(server, model) is None
    assert server.get_model_version(model, "1").current_stage == "None"


@pytest.mark.parametrize(
    ("metrics", "rule", "passed"),
    [
        ({"rmse": 3.0}, ["--max", "rmse=3"], True),
        ({"rmse": 3.1}, ["--max", "rmse=3"], False),
        ({"f1": 0.8}, ["--min", "f1=0.8"], True),
        ({"f1": 0.9, "rmse": 3.1}, ["--min", "f1=0.8", "--max", "rmse=3"], False),
        ({"other": 1.0}, ["--min", "f1=0"], False),
        ({"other": 1.0}, ["--max", "f1=0"], False),
        ({"other": 1.0}, ["--improve", "f1"], False),
        ({"f1": math.nan}, ["--min", "f1=0"], False),
        ({"f1": math.nan}, ["--max", "f1=9"], False),
        ({"f1": math.nan}, ["--improve", "f1"], False),
        ({"f1": math.inf}, ["--min", "f1=0"], False),
    ],
)
def test_thresholds(
    cli: Cli, server: MlflowClient, metrics: dict[str, float], rule: list[str], passed: bool
) -> None:
    model = new_model(server, metrics)
    assert cli("promote", model, *rule).code == (0 if passed else 1)
    assert champion(server, model) == ("1" if passed else None)


@pytest.mark.parametrize(
    ("old", "new", "rule", "passed"),
    [
        ({"f1": 0.80}, {"f1": 0.80}, ["f1"], True),
        ({"f1": 0.80}, {"f1": 0.79}, ["f1"], False),
        ({"f1": 0.80}, {"f1": 0.81}, ["f1=0.01"], True),
        ({"f1": 0.2}, {"f1": 0.3}, ["f1=0.1"], True),
        ({"f1": 0.80}, {"f1": 0.805}, ["f1=0.01"], False),
        ({"f1": 0.80}, {"f1": 0.79}, ["f1=-0.02"], True),
        ({"test_rmse": 3.0}, {"test_rmse": 2.9}, ["test_rmse=0.1"], True),
        ({"test_rmse": 3.0}, {"test_rmse": 3.1}, ["test_rmse"], False),
        ({"gap": 3.0}, {"gap": 2.0}, ["gap", "--lower-is-better", "gap"], True),
        ({"gap": 3.0}, {"gap": 2.0}, ["gap", "--max", "gap=9"], True),
        ({"gap": 3.0}, {"gap": 2.0}, ["gap"], False),
        ({"f1": math.nan}, {"f1": 0.9}, ["f1"], False),
        ({}, {"f1": 0.9}, ["f1"], False),
    ],
)
def test_comparison_with_the_champion(
    cli: Cli,
    server: MlflowClient,
    old: dict[str, float],
    new: dict[str, float],
    rule: list[str],
    passed: bool,
) -> None:
    model = new_model(server, old, new)
    server.set_registered_model_alias(model, "champion", "1")
    assert cli("promote", model, "--improve", *rule).code == (0 if passed else 1)
    assert champion(server, model) == ("2" if passed else "1")


def test_the_replaced_champion_is_archived(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.8}, {"test_f1": 0.9})
    cli("promote", model, "--version", "1", *GATE)
    assert cli("promote", model, *GATE).data["archived"] == "1"
    old = server.get_model_version(model, "1")
    assert old.current_stage == "Archived"
    assert old.tags["mlflowops.replaced_by"] == "2"
    assert old.tags["mlflowops.archived_at"]
    assert server.get_model_version(model, "2").tags["mlflowops.previous_champion"] == "1"


def test_rolling_back_takes_the_version_out_of_the_archive(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.8}, {"test_f1": 0.9})
    for version in ("1", "2", "1"):
        assert cli("promote", model, "--version", version, *GATE).code == 0
    back = server.get_model_version(model, "1")
    assert back.current_stage == "Production"
    assert not {"mlflowops.archived_at", "mlflowops.replaced_by"} & set(back.tags)
    assert server.get_model_version(model, "2").current_stage == "Archived"


def test_promoting_the_champion_again_ends_what_a_crash_left_undone(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.8}, {"test_f1": 0.9})
    # As after a crash right behind the alias: nothing is archived, no stage is set.
    server.set_model_version_tag(model, "2", "mlflowops.previous_champion", "1")
    server.set_registered_model_alias(model, "champion", "2")
    assert cli("promote", model, "--improve", "test_f1=0.05", *GATE).code == 0
    assert server.get_model_version(model, "2").current_stage == "Production"
    assert server.get_model_version(model, "1").tags["mlflowops.replaced_by"] == "2"


def test_metrics_logged_to_the_model_itself_count(cli: Cli, server: MlflowClient) -> None:
    run = server.create_run("0").info.run_id
    logged = server.create_logged_model("0", "model", source_run_id=run).model_id
    server.finalize_logged_model(logged, "READY")
    server.log_batch(run, [Metric("test_f1", 0.95, 1, 0, model_id=logged)])
    model = new_model(server)
    other = server.create_run("0").info.run_id
    server.create_model_version(model, f"models:/{logged}", other, model_id=logged)
    assert cli("promote", model, *GATE).data["checks"][0]["value"] == 0.95


def test_a_dry_run_changes_nothing(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.9})
    answer = cli("promote", model, "--dry-run", *GATE)
    assert (answer.code, answer.data["decision"]) == (0, "would be promoted")
    assert champion(server, model) is None
    assert server.get_model_version(model, "1").tags == {}
    assert cli("promote", model, "--dry-run", "--min", "test_f1=0.99").code == 1


def test_a_policy_file_and_options_over_it(cli: Cli, server: MlflowClient, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "alias: winner\nstage: Staging\nmin: {test_f1: 0.8}\nlower_is_better: [gap]\nimprove: {gap: 1}"
    )
    model = new_model(server, {"test_f1": 0.85, "gap": 5.0}, {"test_f1": 0.85, "gap": 4.0})
    assert cli("promote", model, "--version", "1", "--policy", policy).code == 0
    assert cli("promote", model, "--policy", policy).code == 0
    assert champion(server, model, "winner") == "2"
    assert server.get_model_version(model, "2").current_stage == "Staging"
    assert cli("promote", model, "--policy", policy, "--min", "test_f1=0.9").code == 1
    assert cli("promote", model, "--policy", policy, "--alias", "other").code == 0
    assert champion(server, model, "other") == "2"


def test_stages_can_be_left_alone(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.9})
    answer = cli("promote", model, "--stage", "none", *GATE)
    assert answer.data["stage"] is None
    assert server.get_model_version(model, "1").current_stage == "None"


def test_a_server_without_stages_is_no_obstacle(
    cli: Cli, server: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = new_model(server, {"test_f1": 0.8}, {"test_f1": 0.9})
    server.set_registered_model_alias(model, "champion", "1")
    with without_stages(server.tracking_uri) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        answer = cli("promote", model, *GATE)
    assert (answer.code, answer.data["stage"], answer.data["archived"]) == (0, None, "1")
    assert champion(server, model) == "2"
    assert server.get_model_version(model, "1").tags["mlflowops.replaced_by"] == "2"


def test_people_get_a_table_and_a_verdict(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.9})
    out = cli("promote", model, "--min", "test_f1=0.8", "--max", "rmse=3").out
    assert "passed" in out
    assert "failed" in out
    assert f"{model} version 1: refused (champion)" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "promote: there is no rule, so every model would pass; give --min, --max or --improve"),
        (["--min", "f1"], "--min f1: not metric=number; write for example --min test_f1=0.8."),
        (["--min", "f1=nan"], "--min f1=nan: not metric=number;"),
        (["--max", "=3"], "--max =3: not metric=number;"),
        (["--min", "f1=1", "--stage", "Live"], "stage Live: unknown; use Production, Staging, none."),
        (["--policy", "/absent.yaml"], "--policy /absent.yaml: unreadable"),
        (["--min", "f1=1", "--version", "77"], "version=77) not found; check the name"),
        (["--min", "f1=1", "--version", "seven"], "'seven'"),
    ],
)
def test_wrong_input_is_one_sentence(cli: Cli, server: MlflowClient, words: list[str], message: str) -> None:
    answer = cli("promote", new_model(server, {"f1": 1.0}), *words)
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "not a mapping"),
        ("minimum: {f1: 1}", "unknown key minimum; use alias, stage, min, max, improve, lower_is_better."),
        ("min: {f1: high}", "min: not a mapping of metrics to numbers;"),
        ("min: 3", "min: not a mapping of metrics to numbers;"),
        ("alias: 3", "alias: 3 is not a name;"),
        ("lower_is_better: rmse", "lower_is_better: not a list of metrics;"),
    ],
)
def test_a_wrong_policy_is_one_sentence(
    cli: Cli, server: MlflowClient, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    answer = cli("promote", "any", "--policy", tmp_path / "policy.yaml")
    assert answer.code == 2
    assert message in answer.err


def test_no_model_and_no_version(cli: Cli, server: MlflowClient) -> None:
    absent = cli("promote", "absent-model", *GATE)
    assert absent.code == 2
    assert "model absent-model: " in absent.err
    assert "not found; check the name" in absent.err
    empty = cli("promote", new_model(server), *GATE)
    assert empty.code == 2
    assert "has no version; log a model with registered_model_name first." in empty.err


def test_no_lock_stays_behind(cli: Cli, server: MlflowClient) -> None:
    model = new_model(server, {"test_f1": 0.9})
    cli("promote", model, *GATE)
    cli("promote", model, "--min", "test_f1=1")
    cli("promote", model, "--min", "test_f1=0", "--version", "9")
    assert [each.name for each in server.search_registered_models(f"name LIKE '{model}%'")] == [model]
    assert add_version(server, model, test_f1=0.99) == "2"
