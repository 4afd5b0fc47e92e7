"""Rules for every test: its environment, options, and that a skip is a failure in CI."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from long_tests import is_long
from own_environment import hide_tools, replace_shell

if "PYTEST_XDIST_WORKER" not in os.environ:  # workers get the environment of the process that starts them
    programs = Path(tempfile.mkdtemp(prefix="mlflow-tests-path-"))
    atexit.register(shutil.rmtree, programs)
    hide_tools(os.environ, programs)
    replace_shell(os.environ)
    renderings = tempfile.mkdtemp(prefix="mlflow-tests-renderings-")  # of all processes of this run
    atexit.register(shutil.rmtree, renderings)
    os.environ["TESTS_RENDERINGS"] = renderings


@pytest.fixture(autouse=True)
def no_address_left() -> Iterator[None]:
    """Fail the test that leaves MLflow's global address set: it counts for all later tests of the process."""
    yield
    if service := sys.modules.get("mlflow.tracking._tracking_service.utils"):
        left = service._tracking_uri
        service.set_tracking_uri(None)  # so that only this test fails
        assert left is None, "use mlflow_of_the_process of tests/cli/laptop.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep", action="store_true", help="leave the test cluster running for inspection")
    parser.addoption("--reuse", action="store_true", help="test on the cluster that a run with --keep left")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name, _, case = item.name.partition("[")
        path = item.path.relative_to(Path(__file__).parent).as_posix()
        if is_long(path, name, case.removesuffix("]")):
            item.add_marker("nightly")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was skipped: in CI a skip hides a broken promise."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and os.environ.get("CI"):
        terminalreporter.write_line(f"{len(skipped)} skipped: CI treats a skip as a failure", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
