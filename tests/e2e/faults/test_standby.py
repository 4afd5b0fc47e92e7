"""A database that fails over: three servers under Patroni, as in examples/postgres/patroni.

With synchronous replication nothing that was acknowledged is lost. Without it the last commits of a primary
that ends may be lost: how many is printed and published.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO

from e2e.faults.conftest import VALUES
from e2e.faults.outcome import NO_ANSWER
from e2e.faults.patroni import Patroni
from e2e.faults.release import Release
from e2e.helm import Helm
from e2e.kube import Kube
from e2e.leaks import remove
from e2e.stores import KEYS
from testbed import cluster, images

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3600)]
NAMESPACE = "standby"
EXAMPLE = REPO / "examples/postgres/patroni/values.yaml"


@pytest.fixture(scope="module")
def patroni(kube: Kube, kubeconfig: Path) -> Iterator[Patroni]:
    [image] = images.build(["patroni"])
    cluster.current(os.environ["MLFLOWOPS_CLUSTER"]).load([image.archive])
    kube.create_namespace(NAMESPACE)
    yield Patroni(kube, NAMESPACE, image.ref)
    remove(kube, NAMESPACE)


@pytest.fixture(scope="module")
def tracked(kube: Kube, helm: Helm, patroni: Patroni, stores: None, faults_namespace: str) -> Release:
    """A release by the values of the example, with the object store of the suite."""
    kube.secret(NAMESPACE, "mlflow-postgres-secret", {"password": patroni.deploy()})
    kube.secret(NAMESPACE, "mlflow-s3-secret", kube.read_secret(faults_namespace, "mlflow-s3-secret"))
    kube.secret(NAMESPACE, "mlflow-keys-secret", KEYS)
    store = VALUES["artifactStore"]["s3"] | {"endpoint": f"http://seaweedfs.{faults_namespace}:8333"}
    database = yaml.safe_load(EXAMPLE.read_text())["backendStore"]
    helm.install(NAMESPACE, {**VALUES, "backendStore": database, "artifactStore": {"s3": store}})
    return Release(kube, NAMESPACE)


@pytest.fixture(autouse=True)
def print_what_failed_here(kube: Kube, request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if not getattr(request.node, "rep_call", None) or request.node.rep_call.failed:
        kube.print_state(NAMESPACE)


FAULTS: dict[str, tuple[str, Callable[[Patroni], None]]] = {
    "switched_over": ("The primary is switched over", Patroni.switch_over),
    "killed": ("The primary is killed", Patroni.kill),
    "frozen": ("The primary is frozen", Patroni.freeze),
    "partitioned": ("The primary is cut off", Patroni.partition),
}


@pytest.mark.parametrize("synchronous", [True, False], ids=["synchronous", "asynchronous"])
@pytest.mark.parametrize("what", FAULTS)
def test_primary(tracked: Release, patroni: Patroni, what: str, synchronous: bool) -> None:
    """The server's pods stay as they are, and refuse with 503 only, until they have found the new primary.

    Who goes on with a run that is lost is answered 404. A frozen primary keeps its connections, so that a
    request waits until the liveness probe ends it, and a client may give up before. Patroni waits for the
    standby that it switches over to, so nothing is lost then in any case.
    """
    patroni.settle(synchronous)
    fault, happen = FAULTS[what]
    how = "synchronous" if synchronous else "asynchronous"
    may_lose = not synchronous and what != "switched_over"
    outcome = tracked.under_load(
        f"{fault}, with {how} replication", lambda: happen(patroni), may_lose=may_lose
    )
    assert outcome.restarts == 0
    expected = {"503", *(["404"] if outcome.lost else []), *([NO_ANSWER] if what == "frozen" else [])}
    assert set(outcome.refused) <= expected, outcome.refused
