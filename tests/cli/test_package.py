"""The package as others get it: a wheel, on each Python it promises, without the repository around it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib
from mlflowops.paths import REPO

from cli import imports

# How packages are called whose modules have another name.
PACKAGES = {
    "cyclonedx": "cyclonedx-python-lib",
    "packageurl": "packageurl-python",
    "prometheus_client": "prometheus-client",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
UV = Path(sys.executable).parent / "uv"
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
SERIES = ["3.10", "3.11", "3.12", "3.13"]
# What is imported before a command runs. The others are large, and imported by the commands that need them.
LIGHT = ["typer", "rich", "requests", "pyyaml"]
COMMANDS = [
    "",
    "health",
    "log-results",
    "best-run",
    "promote",
    "import",
    "copy",
    "migrate-values",
    "backup list",
    "secrets ensure",
]

# Asks for the help of each command in one process: starting ten takes a while.
HELP = """
import sys
from mlflowops.cli import main
for command in sys.argv[1:]:
    sys.argv = ["mlflowops", *command.split(), "--help"]
    try:
        main()
    except SystemExit as end:
        assert not end.code, command
"""


def run(*words: object, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [*map(str, words)], cwd="/", env={**clean, **(env or {})}, text=True, capture_output=True, timeout=600
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(REPO / "scripts", folder / "scripts")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO / name, folder)
    done = run(UV, "build", "--wheel", "--quiet", "--out-dir", folder, folder)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module", params=SERIES)
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter of this series: pyenv's, else what uv finds; never one that it would fetch."""
    for own in PYENV.glob(f"versions/{request.param}.*/bin/python"):
        return str(own)
    found = run(UV, "python", "find", "--no-python-downloads", request.param)
    if found.returncode:
        pytest.skip(f"this machine has no Python {request.param}, and a test fetches none")
    return found.stdout.strip()


@pytest.fixture(scope="module")
def installed(wheel: Path, python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the wheel in it, outside of the repository."""
    folder = tmp_path_factory.mktemp("venv")
    assert run(UV, "venv", "--quiet", "--python", python, folder).returncode == 0
    install = [UV, "pip", "install", "--quiet", "--python", folder / "bin/python"]
    for words in ([*LIGHT], ["--no-deps", wheel]):
        done = run(*install, *words)
        assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_every_command_has_its_help(installed: Path) -> None:
    done = run(installed / "python", "-W", "error", "-c", HELP, *COMMANDS)
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert f"Usage: mlflowops {command}".strip() in done.stdout


def test_every_module_is_python_of_this_series(installed: Path) -> None:
    """Compiling reads all of it; what is imported at once runs in the test above."""
    package = "import mlflowops, sys; print(mlflowops.__path__[0])"
    folder = run(installed / "python", "-c", package).stdout.strip()
    done = run(installed / "python", "-W", "error", "-m", "compileall", "-q", "-f", folder)
    assert done.returncode == 0, done.stdout
    assert (Path(folder) / "py.typed").exists()


def test_a_command_that_needs_no_repository_works_without_it(installed: Path) -> None:
    done = run(installed / "mlflowops", "health", "--url", "http://127.0.0.1:9", "--output", "json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["checks"][0]["status"] == "red"


def test_the_thresholds_of_health_are_in_the_wheel(installed: Path) -> None:
    script = "from mlflowops.health import thresholds; print(thresholds.defaults()['volumePercent'])"
    assert run(installed / "python", "-c", script).stdout == "85\n"


def test_a_command_that_needs_the_repository_says_so(installed: Path) -> None:
    done = run(installed / "mlflowops", "helmfile", "list")
    assert done.returncode == 2
    assert done.stderr.startswith("mlflowops: checkout: this command uses files of the repository")
    assert "Traceback" not in done.stderr


def test_uvx_runs_it_from_the_wheel(wheel: Path) -> None:
    """With all of its dependencies, as a user gets it."""
    done = run(UV, "tool", "run", "--python", sys.executable, "--from", wheel, "mlflowops", "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "mlflowops",
        tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"],
    ]


def test_shell_completion_knows_commands_and_options(installed: Path) -> None:
    words = {"_MLFLOWOPS_COMPLETE": "complete_bash", "COMP_WORDS": "mlflowops hea", "COMP_CWORD": "1"}
    assert run(installed / "mlflowops", env=words).stdout.split() == ["health"]
    words = {**words, "COMP_WORDS": "mlflowops health --wa", "COMP_CWORD": "2"}
    assert run(installed / "mlflowops", env=words).stdout.split() == ["--watch"]


def test_starting_imports_nothing_heavy() -> None:
    script = "import sys, mlflowops.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = run(sys.executable, "-c", script, env={"PYTHONPATH": str(REPO / "scripts")}).stdout.split()
    assert "typer" in loaded
    assert not {"kubernetes", "mlflow", "cryptography", "boto3", "pandas", "prometheus_client"} & set(loaded)


@pytest.mark.parametrize(
    ("project", "package", "ours"),
    [(".", "scripts/mlflowops", {"mlflowops"}), ("testbed", "testbed/src/testbed", {"mlflowops", "testbed"})],
)
def test_a_package_depends_on_what_it_imports(project: str, package: str, ours: set[str]) -> None:
    """On nothing less, which would be luck, and on nothing more."""
    known = imports.modules(REPO / package)
    modules = {name.split(".")[0] for file in known.values() for name in imports.imported(file, known)}
    wanted = {PACKAGES.get(name, name) for name in modules - sys.stdlib_module_names - ours}
    declared = tomllib.loads((REPO / project / "pyproject.toml").read_text())["project"]["dependencies"]
    assert wanted == set(declared)


def test_the_wheel_holds_one_package_and_its_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        fields = archive.read(metadata).decode().split("\n\n")[0].splitlines()
    required = {line.removeprefix("Requires-Dist: ") for line in fields if line.startswith("Requires-Dist: ")}
    assert tops == {"mlflowops", metadata.split("/")[0]}
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    assert {each for each in required if "extra ==" not in each} == set(project["dependencies"])
