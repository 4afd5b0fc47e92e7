"""`mlflowops log-results` against a real tracking server."""

import json
from pathlib import Path
from typing import Any

import joblib
import mlflow.pyfunc
import mlflow.sklearn
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

from cli.cli import Cli

RESULTS = {
    "cv_results": {"f1": 0.81, "f1_folds": [0.80, 0.82]},
    "test_results": {"metrics": {"f1": 0.79, "auc": 1}, "confusion_matrix": [[50, 4], [6, 40]]},
    "params": {"n_estimators": 200, "class_weight": None},
}
CHURN = """
biz_detected_churners: {tp: 1}
biz_saved_customers: {tp: 0.3}
biz_saved_revenue_usd: {tp: 690}
biz_false_positives: {fp: 1}
biz_missed_churners: {fn: 1}
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write(tmp_path, RESULTS)


def write(folder: Path, data: Any) -> Path:
    path = folder / "training_results.json"
    path.write_text(json.dumps(data))
    return path


def test_metrics_params_and_the_file_itself_arrive(cli: Cli, server: MlflowClient, results: Path) -> None:
    answer = cli("log-results", results, "-e", "churn", "--param", "run_type=demo", "--output", "json")
    assert answer.code == 0, answer.err
    run = server.get_run(answer.data["run_id"])
    assert server.get_experiment(run.info.experiment_id).name == "churn"
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "training_results"
    assert run.data.metrics == {"cv_f1": 0.81, "cv_f1_folds": 0.82, "test_f1": 0.79, "test_auc": 1}
    assert run.data.params == {"n_estimators": "200", "class_weight": "None", "run_type": "demo"}
    assert [file.path for file in server.list_artifacts(run.info.run_id)] == ["training_results.json"]


def test_a_list_becomes_one_step_per_entry(cli: Cli, server: MlflowClient, results: Path) -> None:
    run = cli("log-results", results, "--output", "json").data["run_id"]
    history = server.get_metric_history(run, "cv_f1_folds")
    assert [(each.step, each.value) for each in history] == [(0, 0.80), (1, 0.82)]


def test_the_experiment_may_come_from_the_environment(
    cli: Cli, server: MlflowClient, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from-the-environment")
    assert cli("log-results", results, "--output", "json").data["experiment"] == "from-the-environment"


def test_costs_and_benefits_become_business_metrics(cli: Cli, server: MlflowClient, results: Path) -> None:
    words = ["--benefit", "tp=690", "--cost", "fp=50", "--cost", "fn=2300", "--output", "json"]
    run = server.get_run(cli("log-results", results, *words).data["run_id"])
    business = {key: value for key, value in run.data.metrics.items() if key.startswith("biz_")}
    assert business == {"biz_benefit": 27600, "biz_cost": 14000, "biz_net": 13600}


def test_business_metrics_come_from_a_file(
    cli: Cli, server: MlflowClient, results: Path, tmp_path: Path
) -> None:
    (tmp_path / "business.yaml").write_text(CHURN)
    run = cli("log-results", results, "--business", tmp_path / "business.yaml", "--output", "json").data[
        "run_id"
    ]
    metrics = server.get_run(run).data.metrics
    assert metrics["biz_detected_churners"] == 40
    assert metrics["biz_saved_customers"] == pytest.approx(12)
    assert metrics["biz_saved_revenue_usd"] == 27600
    assert metrics["biz_false_positives"] == 4
    assert metrics["biz_missed_churners"] == 6


def test_an_artifact_that_is_not_there_is_one_warning(
    cli: Cli, server: MlflowClient, results: Path, tmp_path: Path
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text("a: 1")
    words = ["--artifact", tmp_path / "configs", "--artifact", tmp_path / "absent.png", "--output", "json"]
    answer = cli("log-results", results, *words)
    assert answer.code == 0
    assert answer.err.count("warning:") == 1
    assert "absent.png not stored" in answer.err
    assert len(answer.data["warnings"]) == 1
    stored = server.list_artifacts(answer.data["run_id"], "configs")
    assert [file.path for file in stored] == ["configs/config.yaml"]


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: {"pipeline": model, "version": 1}])
def test_a_pickled_model_is_registered_and_can_be_loaded(
    cli: Cli, server: MlflowClient, results: Path, tmp_path: Path, wrap: Any
) -> None:
    joblib.dump(wrap(LogisticRegression().fit([[0.0], [1.0]], [0, 1])), tmp_path / "model.joblib")
    answer = cli(
        "log-results",
        results,
        "--model",
        tmp_path / "model.joblib",
        "--register",
        "churn",
        "--output",
        "json",
    )
    assert answer.code == 0, answer.err
    version = server.get_model_version("churn", answer.data["model_version"])
    assert version.run_id == answer.data["run_id"]
    assert list(mlflow.sklearn.load_model(f"models:/churn/{version.version}").predict([[0.0], [1.0]])) == [
        0,
        1,
    ]


def test_a_model_folder_of_any_flavour_is_registered(
    cli: Cli, server: MlflowClient, results: Path, tmp_path: Path
) -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    mlflow.sklearn.save_model(model, str(tmp_path / "model"))
    answer = cli(
        "log-results", results, "--model", tmp_path / "model", "--register", "folder", "--output", "json"
    )
    assert answer.code == 0, answer.err
    loaded = mlflow.pyfunc.load_model(f"models:/folder/{answer.data['model_version']}")
    assert list(loaded.predict([[1.0]])) == [1]


def test_a_model_that_cannot_be_read_fails_but_keeps_the_numbers(
    cli: Cli, server: MlflowClient, results: Path, tmp_path: Path
) -> None:
    joblib.dump({"weights": [1]}, tmp_path / "model.pkl")
    answer = cli(
        "log-results", results, "-e", "kept", "--model", tmp_path / "model.pkl", "--register", "never"
    )
    assert answer.code == 1
    assert "holds a dict, not a scikit-learn model" in answer.err
    experiment = server.get_experiment_by_name("kept")
    assert experiment is not None
    [run] = server.search_runs([experiment.experiment_id])
    assert (run.info.status, run.data.metrics["test_f1"]) == ("FAILED", 0.79)


def test_people_get_a_table(cli: Cli, server: MlflowClient, results: Path) -> None:
    answer = cli("log-results", results, "-e", "tables")
    assert "test_auc" in answer.out
    assert "0.79" in answer.out


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1], "the file: is a list; write a JSON object there."),
        ({"cv_results": 3}, "cv_results: is a int; write a JSON object there."),
        ({"test_results": {"metrics": [1]}}, "test_results.metrics: is a list;"),
        ({}, "holds no metric under cv_results or test_results.metrics;"),
        ({"cv_results": {"f1": "0.8"}}, 'cv_results.f1: "0.8" is not a number;'),
        ({"cv_results": {"f1": True}}, "cv_results.f1: true is not a number;"),
        ({"cv_results": {"f1": []}}, "cv_results.f1: [] is not a number;"),
        ({"cv_results": {"f1": [0.1, None]}}, "cv_results.f1: null is not a number;"),
        ({"cv_results": {"f1": float("nan")}}, "cv_results.f1: NaN is not a number;"),
        ({"cv_results": {"f1": 1}, "params": []}, "params: is a list;"),
        (
            {"cv_results": {"f1": 1}, "test_results": {"confusion_matrix": [[1, 2], [3]]}},
            "confusion_matrix: not a square of numbers; write [[tn, fp], [fn, tp]]",
        ),
    ],
)
def test_a_wrong_file_is_one_sentence(
    cli: Cli, server: MlflowClient, tmp_path: Path, data: Any, message: str
) -> None:
    answer = cli("log-results", write(tmp_path, data))
    assert answer.code == 2
    assert answer.err.startswith(f"mlflowops: {tmp_path}")
    assert message in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--benefit", "tp"], "--benefit tp: not cell=number; write for example --benefit tp=690."),
        (["--cost", "yes=1"], "--cost yes=1: no cell 'yes'; use tn, fp, fn, tp."),
        (["--param", "=x"], "--param =x: not key=value;"),
        (["--register", "x"], "--register x: there is no model to register; add --model PATH."),
        (["--model", "/absent.pkl"], "--model /absent.pkl: no such file;"),
        (["--business", "/absent.yaml"], "--business /absent.yaml: unreadable"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    cli: Cli, server: MlflowClient, results: Path, words: list[str], message: str
) -> None:
    answer = cli("log-results", results, *words)
    assert answer.code == 2
    assert f"mlflowops: {message}" in answer.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not a mapping"),
        ("biz: {tp: x}", "not a mapping of cells to numbers"),
        ("biz: {up: 1}", "no cell 'up'"),
    ],
)
def test_a_wrong_business_file_is_one_sentence(
    cli: Cli, server: MlflowClient, results: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "business.yaml").write_text(text)
    answer = cli("log-results", results, "--business", tmp_path / "business.yaml")
    assert answer.code == 2
    assert message in answer.err


def test_business_metrics_need_two_classes(cli: Cli, server: MlflowClient, tmp_path: Path) -> None:
    three = write(tmp_path, {"test_results": {"metrics": {"f1": 1}, "confusion_matrix": [[1, 0, 0]] * 3}})
    answer = cli("log-results", three, "--benefit", "tp=1")
    assert answer.code == 2
    assert "has 3 classes; business metrics need two classes" in answer.err


def test_no_file_no_server_no_address(cli: Cli, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "no such file; run the training first" in cli("log-results", "/absent.json").err
    assert "MLFLOW_TRACKING_URI: not set; set it to the server's address" in cli("log-results", results).err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    answer = cli("log-results", results)
    assert answer.code == 2
    assert "http://127.0.0.1:9 does not answer" in answer.err
