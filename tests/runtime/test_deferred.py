"""Heavy libraries that few calls need are imported at their first use, and behave then as if always there."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from runtime.server import FILES, Server, environment

LIBRARIES = ("pandas", "pyarrow", "scipy")
PROMPT = {
    "experiment_id": "0",
    "prompt_template": "Say {{word}}",
    "prompt_parameters": [{"key": "word", "value": "hello"}],
    "model_route": "completions",
    "model_input": "Say hello",
    "model_output": "hello",
    "mlflow_version": version("mlflow"),
    "start_time": 1,
}
OPENED = """
import json, os, sys
sys.path.append(os.environ["TEST_FILES"])
import gunicorn
from mlflow_kubernetes.server.apps import open_apps
open_apps("")
"""
USE = """
import mlflow.data.pandas_dataset, mlflow.models.utils, mlflow.store.artifact.hdfs_artifact_repo as hdfs
captured = mlflow.data.pandas_dataset.PandasDataset.__init__.__annotations__["df"]
matrix = mlflow.models.utils.csr_matrix
early = sys.modules["pandas"]
for name in ("pandas._libs", "pyarrow", "scipy"):
    assert name not in sys.modules, name
assert not isinstance({"a": 1}, captured) and not isinstance([], matrix) and not issubclass(dict, captured)
assert "pandas._libs" not in sys.modules and "scipy" not in sys.modules

import pandas.core.frame, scipy.sparse.linalg
assert pandas.core.frame.DataFrame is pandas.DataFrame and scipy.sparse.linalg.norm is not None
assert pandas.core.frame.__spec__.origin.endswith("frame.py") and not isinstance(pandas, type(early))

class Table(captured):
    pass

import pandas.api.types, pyarrow.fs
frame = pandas.DataFrame({"a": [1, 2]})
assert type(pandas.DataFrame) is type and issubclass(Table, pandas.DataFrame) and len(Table(frame)) == 2
assert pandas is not early and early.DataFrame is pandas.DataFrame
assert mlflow.models.utils.pd.Series is pandas.Series
assert isinstance(frame, captured) and not isinstance(frame.a, captured) and issubclass(Table, captured)
assert type(captured({"a": []})) is pandas.DataFrame and captured.from_records is not None
assert isinstance(scipy.sparse.csr_matrix([[1]]), matrix) and type(matrix([[1]])) is scipy.sparse.csr_matrix
assert hdfs.FileType.File == pyarrow.fs.FileType.File
assert not {"real", "stand_ins", "load"} & (set(dir(pandas)) | set(dir(pyarrow.fs)) | set(dir(scipy.sparse)))
assert mlflow.data.from_pandas(frame).to_dict()["name"] == "dataset"
assert mlflow.models.infer_signature(frame).inputs.input_names() == ["a"]
"""


def loaded(server: Server) -> set[str]:
    """The libraries whose compiled parts are in the memory of a process of the server."""
    maps = [Path(f"/proc/{pid}/maps").read_text() for pid in (server.process.pid, *server.workers())]
    return {library for library in LIBRARIES if any(f"/site-packages/{library}/" in each for each in maps)}


def run_python(script: str, env: dict[str, str], home: Path) -> str:
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_imports_pandas_for_the_call_that_needs_it(
    start: Callable[..., Server], ready_database: Callable[[], dict[str, str]]
) -> None:
    server = start(**ready_database()).ready()
    assert loaded(server) == set()
    api = f"{server.url}/ajax-api/2.0/mlflow"
    assert requests.post(f"{api}/runs/search", json={"experiment_ids": ["0"]}, timeout=60).ok
    assert loaded(server) == set()
    answer = requests.post(f"{api}/runs/create-promptlab-run", json=PROMPT, timeout=120)
    assert answer.status_code == 200, answer.text
    run = answer.json()["run"]["info"]["run_id"]
    listed = requests.get(f"{api}/artifacts/list", {"run_id": run, "path": "model"}, timeout=60).json()
    assert "model/MLmodel" in {each["path"] for each in listed["files"]}
    assert "pandas" in loaded(server)


@pytest.mark.parametrize("why", ["switched off", "another version"])
def test_all_is_imported_at_once(why: str, ready_database: Callable[[], dict[str, str]], home: Path) -> None:
    """With the variable, and with a version of MLflow that this is not tested with."""
    env = environment(home, TEST_FILES=str(FILES), **ready_database())
    script = OPENED
    if why == "switched off":
        env["MLFLOW_KUBERNETES_DEFER_IMPORTS"] = "false"
    else:
        script = f"import importlib.metadata\nimportlib.metadata.version = lambda _: '3.99'\n{OPENED}"
    output = run_python(f"{script}\nprint(json.dumps([n in sys.modules for n in {LIBRARIES}]))", env, home)
    assert json.loads(output.splitlines()[-1]) == [True, True, True]


def test_what_was_deferred_is_the_real_thing(
    ready_database: Callable[[], dict[str, str]], home: Path
) -> None:
    env = environment(home, TEST_FILES=str(FILES), **ready_database())
    run_python(OPENED + USE, env, home)


def test_threads_that_use_it_first_at_once_get_one_module(
    ready_database: Callable[[], dict[str, str]], home: Path
) -> None:
    script = """
import concurrent.futures, mlflow.models.utils as utils
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    frames = list(pool.map(lambda n: utils.pd.DataFrame({"a": [n]}), range(64)))
import pandas
assert {type(frame) for frame in frames} == {pandas.DataFrame}
"""
    env = environment(home, TEST_FILES=str(FILES), **ready_database())
    run_python(OPENED + script, env, home)
