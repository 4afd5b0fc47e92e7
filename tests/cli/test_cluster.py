"""`testbed cluster` as far as no cluster is needed: refusals, addresses, archives, what kind is told."""

import ipaddress
import itertools
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from mlflowops import paths
from mlflowops.errors import OpsError
from testbed.archives import oci
from testbed.cluster.layout import MAX_CLUSTERS, MAX_NODES, Layout

from testbed.cluster import image_archives as images

OPS = paths.REPO / ".venv/bin/testbed"


def ops(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "MLFLOWOPS_STATE": str(tmp_path / "state"),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    return subprocess.run([OPS, "cluster", *words], text=True, capture_output=True, env=env)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("up", "--name", "No_Name"), "use up to 40 of a-z, 0-9 and -, a letter first."),
        (("kubeconfig", "--name", "nope"), "there is none; run `testbed cluster up --name nope`."),
        (
            ("up", "--kubernetes", "1.20", "--name", "nope"),
            "cluster nope: there is no Kubernetes 1.20 for it; choose one of 1.33, ",
        ),
        (("load", "missing.tar", "--name", "nope"), "missing.tar: there is no such file;"),
    ],
)
def test_refusals(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = ops(tmp_path, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.glob("state/clusters/*")), "it left something"


def test_status_of_no_cluster(tmp_path: Path) -> None:
    done = ops(tmp_path, "status", "--name", "nope")
    assert (done.returncode, done.stdout) == (1, "nope: there is no such cluster\n")


def test_clusters_and_nodes_never_share_an_address_or_a_name(tmp_path: Path) -> None:
    layouts = [Layout(index, tmp_path) for index in range(MAX_CLUSTERS)]
    wholes = [ipaddress.ip_network(layout.whole_range) for layout in layouts]
    assert not [pair for pair in itertools.combinations(wholes, 2) if pair[0].overlaps(pair[1])]
    for layout, whole in zip(layouts, wholes, strict=True):
        nodes = [layout.node(number) for number in range(1, MAX_NODES + 1)]
        ranges = [layout.service_range, f"{layout.prefix}.0.0/24", *(node.pod_range for node in nodes)]
        networks = [ipaddress.ip_network(each) for each in ranges]
        assert all(network.subnet_of(whole) for network in networks)
        assert not [pair for pair in itertools.combinations(networks, 2) if pair[0].overlaps(pair[1])]
        assert all(ipaddress.ip_address(node.address) in networks[1] for node in nodes)
        assert ipaddress.ip_address(layout.dns_address) in networks[0]
    links = [layout.node(n).link for layout in layouts for n in range(1, MAX_NODES + 1)]
    assert len(set(links)) == len(links) and max(map(len, links)) <= 15


def test_content_of_an_oci_archive(tmp_path: Path) -> None:
    """The second layer's name follows from both: computed with OCI's rule by hand, not by the code."""
    first, second = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    config = oci.as_json({"rootfs": {"diff_ids": [first, second]}})
    manifest = oci.as_json({"config": oci.descriptor("config", config), "layers": []})
    oci.write(tmp_path / "a.tar", "localhost/a:1", manifest, [config])
    [image] = images.content(tmp_path / "a.tar")
    assert image.ref == "localhost/a:1"
    assert image.config == oci.digest(config)
    assert image.layers == (first, oci.digest(f"{first} {second}".encode()))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("text")
    with pytest.raises(OpsError, match="not a docker or OCI image archive"):
        images.content(tmp_path / "a.tar")


def test_kind_gets_our_config_where_an_engine_answers(tmp_path: Path) -> None:
    """No engine runs where this test must pass: kind and docker are scripts that note what they are told."""
    scripts = {
        "docker": "exit 0",
        "kind": f'echo "$@" >>{tmp_path}/told; [ "$1" = create ] && cat >{tmp_path}/config && exit 1; exit 0',
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    assert ops(tmp_path, "prepare", "--name", "boxed").returncode == 0
    assert not (tmp_path / "told").exists(), "kind builds nothing"
    done = ops(tmp_path, "up", "--name", "boxed", "--nodes", "3", "--kubernetes", "1.33")
    assert done.returncode != 0, "kind failed"
    kubeconfig = tmp_path / "state/clusters/boxed/kubeconfig"
    create = f"create cluster --name boxed --config - --wait 180s --kubeconfig {kubeconfig}"
    assert (tmp_path / "told").read_text().splitlines() == ["get clusters", create]
    config = yaml.safe_load((tmp_path / "config").read_text())
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert {node["image"].partition("@")[0] for node in config["nodes"]} == {"kindest/node:v1.33.12"}
    done = ops(tmp_path, "up", "--name", "boxed", "--kubernetes", "1.36")
    assert done.returncode == 2
    assert "it has Kubernetes 1.33, and a cluster keeps its version; choose another --name, " in done.stderr

    assert ops(tmp_path, "down", "--name", "boxed").returncode == 0
    assert (tmp_path / "told").read_text().splitlines()[-1] == "delete cluster --name boxed"
    assert not kubeconfig.parent.exists()
