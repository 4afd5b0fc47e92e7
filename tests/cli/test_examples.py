"""Each file of examples/ does what its first line says, against a real tracking server."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflowops.paths import REPO
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from cli import compare
from cli.cli import Cli
from cli.models import champion, new_model

EXAMPLES = REPO / "examples"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def run(server: MlflowClient, *words: object, cwd: Path = REPO) -> Run:
    """Run an example like a person would; return the run whose id it prints."""
    env = {**os.environ, **QUIET, "MLFLOW_TRACKING_URI": server.tracking_uri}
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=cwd, env=env, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = re.search(r"^Run ID: ([0-9a-f]{32})$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return server.get_run(found[1])


def test_track_registers_a_champion_that_predicts(server: MlflowClient) -> None:
    tracked = run(server, EXAMPLES / "track.py")
    assert tracked.data.params == {"n_estimators": "100", "max_depth": "10", "random_state": "42"}
    assert tracked.data.metrics["train_accuracy"] == 1
    assert tracked.data.metrics["test_accuracy"] > 0.9
    version = server.get_model_version_by_alias("iris-classifier", "champion")
    assert version.run_id == tracked.info.run_id
    model = mlflow.sklearn.load_model("models:/iris-classifier@champion")
    X, y = load_iris(return_X_y=True)
    assert (model.predict(X) == y).mean() > 0.95


def test_nested_runs_are_children_and_the_parent_holds_the_best(server: MlflowClient) -> None:
    parent = run(server, EXAMPLES / "nested_runs.py")
    runs = compare.runs(server, "wine-search")
    children = [
        each for each in runs.values() if each.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    ]
    assert len(children) == 3
    best = max(children, key=lambda child: child.data.metrics["cv_accuracy"])
    assert parent.data.metrics["cv_accuracy"] == best.data.metrics["cv_accuracy"]
    assert parent.data.params["best_n_estimators"] == best.data.params["n_estimators"]
    assert len(server.get_metric_history(best.info.run_id, "cv_accuracy_fold")) == 3


def test_autolog_logs_by_itself(server: MlflowClient) -> None:
    logged = run(server, EXAMPLES / "autolog.py")
    assert logged.data.params["C"] == "0.5"
    assert {"training_accuracy_score", "LogisticRegression_score_X_test"} <= set(logged.data.metrics)
    assert logged.outputs is not None
    assert len(logged.outputs.model_outputs) == 1


def test_evaluate_leaves_metrics_and_curves(server: MlflowClient) -> None:
    evaluated = run(server, EXAMPLES / "evaluate.py")
    assert evaluated.data.metrics["roc_auc"] > 0.95
    assert {"accuracy_score", "f1_score", "log_loss"} <= set(evaluated.data.metrics)
    files = {each.path for each in server.list_artifacts(evaluated.info.run_id)}
    assert {"confusion_matrix.png", "roc_curve_plot.png"} <= files


def test_a_project_is_run_by_the_line_that_it_shows(server: MlflowClient) -> None:
    text = (EXAMPLES / "mlproject/MLproject").read_text()
    shown = re.search(r"(mlflow run .*?)\n#\n", text, re.DOTALL)
    assert shown
    words = shown[1].replace("\\\n#", "").split()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, **QUIET, "MLFLOW_TRACKING_URI": server.tracking_uri, "PATH": path}
    done = subprocess.run(words, cwd=REPO, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    (found,) = compare.runs(server, "wine-project").values()
    assert found.info.status == "FINISHED"
    assert found.data.params["max_depth"] == "3"
    assert found.data.metrics["cv_accuracy"] > 0.8
    assert found.data.tags["mlflow.project.entryPoint"] == "main"


def test_dvc_train_names_the_version_of_its_data(server: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    load_iris(as_frame=True).frame.to_csv(tmp_path / "data" / "iris.csv", index=False)
    pointer = {"outs": [{"md5": "0123456789abcdef0123456789abcdef", "hash": "md5", "path": "iris.csv"}]}
    (tmp_path / "data" / "iris.csv.dvc").write_text(yaml.safe_dump(pointer))
    trained = run(server, EXAMPLES / "dvc_train.py", "data/iris.csv", cwd=tmp_path)
    assert trained.data.tags["dvc.md5"] == "0123456789abcdef0123456789abcdef"
    assert trained.inputs is not None
    assert trained.inputs.dataset_inputs[0].dataset.digest == "0123456789abcdef0123456789abcdef"


def test_the_command_of_the_dvc_note_finds_the_run(server: MlflowClient, tmp_path: Path) -> None:
    test_dvc_train_names_the_version_of_its_data(server, tmp_path)
    [line] = [each for each in (EXAMPLES / "dvc.md").read_text().splitlines() if "mlflowops best-run" in each]
    shell = line.strip().replace("<checksum>", "0123456789abcdef0123456789abcdef")
    done = bash(f"{shell} --output json", server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"test_accuracy"' in done.stdout


@pytest.mark.parametrize(("accuracy", "code"), [(0.97, 0), (0.5, 1)])
def test_the_policy_promotes_and_refuses(cli: Cli, server: MlflowClient, accuracy: float, code: int) -> None:
    model = new_model(server, {"test_accuracy": accuracy})
    assert cli("promote", model, "--policy", EXAMPLES / "promotion-policy.yaml").code == code


@pytest.mark.parametrize(("accuracy", "code"), [(0.97, 0), (0.5, 1)])
@pytest.mark.parametrize("version", ["", "1"])
def test_the_steps_of_the_github_workflow_promote_and_refuse(
    server: MlflowClient, tmp_path: Path, accuracy: float, code: int, version: str
) -> None:
    """Run the scripts of the workflow as its runner does: bash -eo pipefail, inputs in the environment."""
    model = new_model(server, {"test_accuracy": accuracy})
    steps = {each.get("name"): each for each in workflow()["jobs"]["promote"]["steps"]}
    (tmp_path / "examples").symlink_to(EXAMPLES)
    env = {"MODEL": model, "VERSION": version, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    assert steps["Promote"]["shell"] == "bash"
    assert bash(steps["Promote"]["run"], server, tmp_path, env).returncode == code
    assert bash(steps["Summary"]["run"], server, tmp_path, env).returncode == 0
    assert f'"model": "{model}"' in (tmp_path / "summary.md").read_text()
    assert champion(server, model) == (None if code else "1")


def test_the_github_workflow_gives_no_input_to_a_script() -> None:
    job = workflow()["jobs"]["promote"]
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
    assert workflow()["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
    assert set(job["env"]) >= {"MLFLOW_TRACKING_URI", "MODEL", "VERSION"}


def workflow() -> Any:
    return yaml.safe_load((EXAMPLES / "ci" / "promote-model.yml").read_text())


def bash(
    script: str, server: MlflowClient, cwd: Path, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a script with `mlflowops` on the PATH."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    full = {**os.environ, **QUIET, "PATH": path, "MLFLOW_TRACKING_URI": server.tracking_uri, **(env or {})}
    full |= {"MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": ""}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(words, cwd=cwd, env=full, capture_output=True, text=True, timeout=600)


def test_a_forest_needs_its_trusted_type(server: MlflowClient) -> None:
    """docs/troubleshooting.md quotes MLflow's message and says what to pass."""
    page = (REPO / "docs/troubleshooting.md").read_text()
    assert "`The saved sklearn model references untrusted types`" in page
    assert '`skops_trusted_types=["sklearn.tree._tree.Tree"]`' in page
    forest = RandomForestClassifier(n_estimators=2).fit(*load_iris(return_X_y=True))
    with mlflow.start_run():
        with pytest.raises(MlflowException, match="The saved sklearn model references untrusted types"):
            mlflow.sklearn.log_model(forest, name="model")
        mlflow.sklearn.log_model(forest, name="model", skops_trusted_types=["sklearn.tree._tree.Tree"])
