"""One real cluster for all end-to-end tests, made by the same `make up` that users type.

The cluster is called `test` (TESTS_CLUSTER chooses another name, TESTS_KUBERNETES its version), so it stands
beside the one that a developer tries things on, and is removed at the end. `--keep` leaves it, and `--reuse`
then uses it unchanged, for one test after another.
Workers of one run (`-n 2`) share it: a file of tests has namespaces of its own, and waits more than it works.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.helm import Helm
from e2e.kube import Kube
from e2e.leaks import remove
from e2e.platform import Platform
from e2e.up import Up
from e2e.versions import Run

CLUSTER = os.environ.get("TESTS_CLUSTER", "test")
KUBERNETES = os.environ.get("TESTS_KUBERNETES", "")
SHARED = "MLFLOW_TESTS_SHARED"


def pytest_configure(config: pytest.Config) -> None:
    """A folder that the workers of this run share, which their environment names."""
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="mlflow-tests-")
        if record := os.environ.get("TESTS_VERSIONS_RECORD"):
            config.pluginmanager.register(Run(Path(record), CLUSTER))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the last worker: remove the cluster if one of them made it."""
    if hasattr(config, "workerinput"):
        return
    made = any(Path(os.environ[SHARED]).iterdir())
    shutil.rmtree(os.environ[SHARED])
    if made and not config.getoption("--keep"):
        os.environ["MLFLOWOPS_CLUSTER"] = CLUSTER
        Up.remove()


@pytest.fixture(scope="session")
def up(request: pytest.FixtureRequest) -> Up:
    """`make up` on a cluster that did not exist; what it printed and how long it took."""
    os.environ["MLFLOWOPS_CLUSTER"] = CLUSTER
    if KUBERNETES:
        os.environ["MLFLOWOPS_KUBERNETES"] = KUBERNETES
    return Up(0, "", 0) if request.config.getoption("--reuse") else Up.once(Path(os.environ[SHARED]))


@pytest.fixture(scope="session")
def kubeconfig(up: Up) -> Path:
    path = up.kubeconfig()
    os.environ["KUBECONFIG"] = str(path)
    return path


@pytest.fixture(scope="session")
def kube(kubeconfig: Path) -> Kube:
    return Kube(kubeconfig)


@pytest.fixture(scope="session")
def helm(kubeconfig: Path) -> Helm:
    return Helm(kubeconfig)


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, up: Up, kube: Kube, kubeconfig: Path) -> Platform:
    """What a production cluster has beside MLflow, added to the cluster as users add it."""
    if not request.config.getoption("--reuse"):
        added = Up.once(Path(os.environ[SHARED]), "PLATFORM=1")
        assert added.code == 0, added.output
    return Platform(kube, kubeconfig)


@pytest.fixture
def namespace(kube: Kube, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own that enforces the restricted Pod Security Standard."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")
    kube.create_namespace(name)
    yield name
    if not getattr(request.node, "rep_call", None) or request.node.rep_call.failed:
        kube.print_state(name)
    remove(kube, name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    setattr(item, f"rep_{report.when}", report)
    return report


@pytest.fixture(scope="module")
def shared_namespace(kube: Kube, request: pytest.FixtureRequest) -> Iterator[str]:
    """One restricted namespace for all tests of a module."""
    name = request.module.__name__.rsplit(".", 1)[-1].removeprefix("test_").replace("_", "-")
    kube.create_namespace(name)
    yield name
    remove(kube, name)
