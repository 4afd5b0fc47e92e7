"""The Python of the pods: each pod has exactly the files that its programs import."""

import graphlib
import json
import shutil
from pathlib import Path

import pytest

from render import programs
from render.chart import MLFLOW, PYTHON, Chart, Json, Manifest
from render.programs import FILES

MOUNT = "/opt/mlflow-kubernetes/"
LIMIT = 1 << 18  # bytes of annotations, in which `kubectl apply` and Argo CD keep a copy of the object


def mounted(manifest: Manifest, pod: Json) -> dict[str, str]:
    """Paths below the mount, and their contents."""
    (volume,) = [each["projected"] for each in pod["spec"]["volumes"] if each["name"] == "files"]
    found = {}
    for source in (each["configMap"] for each in volume["sources"]):
        data = manifest.one("ConfigMap", source["name"])["data"]
        assert len(data) == len(source["items"])
        found |= {each["path"]: data[each["key"]] for each in source["items"]}
    return found


def containers(pod: Json) -> list[Json]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def needed(pod: Json) -> set[str]:
    """The files that the commands of a pod run, and what those import."""
    found = set()
    for command in (each.get("command", []) for each in containers(pod)):
        found |= {word.removeprefix(MOUNT) for word in command if word.startswith(MOUNT) and ".sh" in word}
        if command[: len(PYTHON)] == PYTHON:
            name, *more = command[len(PYTHON) :]
            names = [f"metrics-{part}" for part in more] if name == "metrics" else [name]
            names += ["backup"] if name == "schema" and more else []
            names += ["query", "copy"] if name == "server" else []  # by `mlflowops`, in that pod
            found |= {f"{programs.NAME}/{file}" for each in names for file in programs.files(each)}
    return found


def test_programs_are_listed_with_what_they_import() -> None:
    words = "run `.venv/bin/python tests/render/programs.py > charts/mlflow/files/programs.yaml`"
    assert (FILES / "programs.yaml").read_text() == programs.text(), words


def test_pods_have_what_they_run(rendered: Manifest) -> None:
    """Backup, restore and drill share one ConfigMap; every other pod has no file too many."""
    checked = 0
    for name, pod in rendered.pods():
        if not any(volume["name"] == "files" for volume in pod["spec"].get("volumes", [])):
            continue
        files, checked = mounted(rendered, pod), checked + 1
        if name.endswith(("-backup", "-restore", "-drill")):
            kinds = ("volume-backup", "volume-restore") if "volume-" in str(pod) else ("backup", "restore")
            assert set(files) == tasks(*kinds, "query-backups"), name
            assert needed(pod) <= set(files)
        else:
            assert set(files) == needed(pod), name
        for path, content in files.items():
            assert content == (FILES / path).read_text(), path
    assert checked


def tasks(*names: str) -> set[str]:
    scripts = {"init.sh", "postgres.sh"} if "backup" in names else {"init.sh"}
    return scripts | {f"{programs.NAME}/{file}" for name in names for file in programs.files(name)}


def test_no_other_pod_mounts_them(rendered: Manifest) -> None:
    configs = [item for item in rendered.objects if any(key.endswith(".py") for key in item.get("data", {}))]
    used = set()
    for _, pod in rendered.pods():
        volumes = [each for each in pod["spec"].get("volumes", []) if each["name"] == "files"]
        used |= {each["configMap"]["name"] for volume in volumes for each in volume["projected"]["sources"]}
    assert {item["metadata"]["name"] for item in configs} == used


def test_every_object_fits(rendered: Manifest) -> None:
    for item in rendered.objects:
        copy = json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
        assert len(copy) < LIMIT * 0.95, item["metadata"]["name"]


def test_every_module_runs_somewhere() -> None:
    used = {file for program in programs.PROGRAMS for file in programs.files(program)}
    assert {str(file.relative_to(programs.PACKAGE)) for file in programs.PACKAGE.rglob("*.py")} == used


@pytest.mark.parametrize(
    ("changed", "restarted"),
    [
        ("tasks/restore/sql.py", []),
        ("metrics/database_metrics.py", ["mlflow-exporter"]),
        ("server/gate.py", ["mlflow"]),
        ("server/auth.py", ["mlflow", "mlflow-jobs"]),
        ("server/jobs.py", ["mlflow-jobs"]),
        ("schema/main.py", ["mlflow", "mlflow-jobs"]),
        ("log/__init__.py", ["mlflow", "mlflow-exporter", "mlflow-jobs"]),
    ],
)
def test_a_change_restarts_only_pods_that_run_it(tmp_path: Path, changed: str, restarted: list[str]) -> None:
    copy = tmp_path / "mlflow"
    shutil.copytree(MLFLOW.folder, copy)
    with (copy / "files" / programs.NAME / changed).open("a") as file:
        file.write("# changed\n")
    values = copy / "ci" / "basic-auth-values.yaml"
    assert deployments(MLFLOW, values).keys() >= set(restarted)
    before, after = deployments(MLFLOW, values), deployments(Chart(copy), values)
    assert [name for name in sorted(before) if before[name] != after[name]] == restarted


def deployments(chart: Chart, values: Path) -> dict[str, Json]:
    items = chart.render(values).objects
    return {item["metadata"]["name"]: item["spec"] for item in items if item["kind"] == "Deployment"}


@pytest.mark.parametrize("lazily", [False, True], ids=["while they load", "ever"])
def test_modules_import_each_other_in_one_direction(lazily: bool) -> None:
    graph = {
        name: {each for each in programs.imported(name, lazily=lazily) if each != name}
        for name in programs.modules()
    }
    list(graphlib.TopologicalSorter(graph).static_order())
