"""The servers that a benchmark compares differ in nothing but what their charts do."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.helm import Helm

from benchmarks.peers.objects import image_of, objects
from benchmarks.peers.peer import EVERY, INDEXED, OURS, PEERS, PYTHON_PEERS, Peer

FAST = "MLFLOW_KUBERNETES_FAST_PATHS"
INDEXES = "MLFLOW_KUBERNETES_INDEXES"


def server(peer: Peer) -> dict[str, Any]:
    """The pod of its server."""
    found = [each for each in yaml.safe_load_all(objects(peer, Helm(Path("/nowhere")))) if each]
    (pod,) = [
        each["spec"]["template"]
        for each in found
        if each["kind"] == "Deployment"
        and each["spec"]["template"]["metadata"]["labels"].get("app") == "mlflow"
    ]
    return pod["spec"]


def variables(peer: Peer) -> dict[str, Any]:
    """The variables of its server."""
    return {each["name"]: each.get("value") for each in server(peer)["containers"][0]["env"]}


def schema_variables(peer: Peer) -> dict[str, Any]:
    """The variables of the init container that builds indexes."""
    (found,) = [each for each in server(peer)["initContainers"] if each["name"] == "schema"]
    return {each["name"]: each.get("value") for each in found["env"]}


@pytest.mark.parametrize("peer", EVERY, ids=lambda peer: peer.name)
def test_image_and_limits_are_equal(peer: Peer) -> None:
    """But for the image of another Python."""
    container = server(peer)["containers"][0]
    limits = container["resources"]["limits"]
    assert container["name"] == "mlflow"
    assert container["image"] == image_of(peer)
    assert (container["image"] == image_of(OURS)) is (peer.image == "mlflow")
    assert (str(limits["cpu"]), limits["memory"]) in (("2", "4Gi"), ("2000m", "4Gi"))


@pytest.mark.parametrize("peer", [each for each in EVERY if each.manifest], ids=lambda peer: peer.name)
def test_other_charts_run_mlflows_defaults(peer: Peer) -> None:
    """The number of workers and background jobs are not theirs to choose."""
    container = server(peer)["containers"][0]
    words = [*container["command"], *container.get("args", [])]
    assert words[:2] == ["mlflow", "server"]
    assert not [word for word in words if word.startswith("--workers")]
    assert "MLFLOW_SERVER_ENABLE_JOB_EXECUTION" not in variables(peer)
    assert ("--app-name=basic-auth" in words) is peer.login


def test_fast_paths_are_the_only_difference() -> None:
    fast, plain = variables(OURS), variables(PEERS[1])
    assert fast[FAST] == "true"
    assert plain[FAST] == "false"
    own = {FAST, "PGDATABASE", "MLFLOW_ARTIFACTS_DESTINATION"}
    differing = {name for name in fast if fast[name] != plain.get(name)}
    assert FAST in differing
    assert not {name for name in differing - own if PEERS[1].namespace not in str(plain.get(name))}


def test_the_image_is_the_only_difference_between_pythons() -> None:
    new, old = (server(peer) for peer in PYTHON_PEERS)
    assert new["containers"][0].pop("image") != old["containers"][0].pop("image")
    text = yaml.safe_dump(old).replace(PYTHON_PEERS[1].namespace, PYTHON_PEERS[0].namespace)
    assert yaml.safe_load(text) == new


def test_the_index_is_the_only_difference() -> None:
    """It is made in the database of the peer that it is compared with."""
    own, indexed = schema_variables(OURS), schema_variables(INDEXED)
    assert own["PGDATABASE"] == indexed["PGDATABASE"]
    differing = {name for name in own | indexed if own.get(name) != indexed.get(name)}
    assert {name for name in differing if INDEXED.namespace not in str(indexed.get(name))} == {INDEXES}
    assert own[INDEXES] == "runs" and indexed[INDEXES] == "runs,latest_metrics"
