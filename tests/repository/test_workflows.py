"""The linters of `make lint` accept the workflows of .github, and find faults in others."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.paths import REPO
from render.chart import VERSIONS
from testbed.cluster.kind import NODES, Kind
from testbed.cluster.source import Source

GITHUB = REPO / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
SOUND = """
name: sound
on: pull_request
permissions: {}
concurrency: {group: sound, cancel-in-progress: true}
jobs:
  sound:
    name: Sound
    runs-on: ubuntu-24.04
    permissions:
      contents: read # to check out
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false}
      - run: make check
"""
FAULTS = {
    "job-key": ("runs-on:", "run-on:", 'unexpected key "run-on"'),
    "runner": ("ubuntu-24.04", "ubuntu-11.04", 'label "ubuntu-11.04" is unknown'),
    "shell": ("make check", "cd $DIRECTORY", "shellcheck reported issue"),
    "unpinned-action": ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
    "permissions": ("permissions: {}", "permissions: write-all", "excessive-permissions"),
    "template-injection": ("make check", "echo ${{ github.ref_name }}", "template-injection"),
    "credentials": ("        with: {persist-credentials: false}\n", "", "artipacked"),
    "not-yaml": ("name: sound", "name: a: b", "could not parse"),
}


def lint(workflow: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The linters' answer to one workflow."""
    file = folder / "workflow.yaml"
    file.write_text(workflow)
    command = ["make", "-s", "-C", str(REPO), "lint-workflows", f"WORKFLOWS={file}"]
    return subprocess.run(command, capture_output=True, text=True)


def read(name: str) -> Any:
    return yaml.safe_load((GITHUB / name).read_text())


def matrix() -> Any:
    return read("workflows/e2e.yaml")["jobs"]["e2e"]["strategy"]["matrix"]


def minor(version: str) -> str:
    return ".".join(version.removeprefix("v").split(".")[:2])


def steps() -> Iterator[str]:
    """Each `uses:` line of the workflows."""
    for file in WORKFLOWS:
        yield from re.findall(r"uses: (.+)", file.read_text())


def test_linters_accept_a_sound_workflow(tmp_path: Path) -> None:
    done = lint(SOUND, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_linters_find_a_planted_fault(fault: str, tmp_path: Path) -> None:
    right, wrong, finding = FAULTS[fault]
    assert right in SOUND
    done = lint(SOUND.replace(right, wrong), tmp_path)
    assert done.returncode
    assert finding in done.stdout + done.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_jobs_have_no_rights_but_their_own(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {}
    assert "group" in workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert "uses" in job or job["timeout-minutes"]


def test_an_action_has_one_version() -> None:
    """Pinned by commit, with the version beside it, and the same everywhere."""
    uses = {line for line in steps() if not line.startswith("./")}
    pinned = [re.fullmatch(r"([\w/.-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in uses]
    assert all(pinned), uses
    actions = [each.group(1) for each in pinned if each]
    assert sorted(actions) == sorted(set(actions))


def test_every_end_to_end_test_is_in_one_scenario() -> None:
    """Except what tests the cluster from source, which the nightly workflow runs."""
    listed = [name for each in matrix()["include"] for name in each["tests"].split()]
    files = {
        file.relative_to(REPO / "tests/e2e").parts[0] for file in (REPO / "tests/e2e").rglob("test_*.py")
    }
    assert sorted(listed) == sorted(files - {"test_cluster.py"})
    assert [each["scenario"] for each in matrix()["include"]] == matrix()["scenario"]


def test_every_kubernetes_of_the_render_tests_has_a_cluster() -> None:
    """On kind or from source; the oldest and the default are on both."""
    nodes, source = Kind.versions(), Source.versions()
    supported = [minor(each) for each in VERSIONS]
    assert sorted({*nodes, *source}) == supported
    assert {supported[0], Kind("test").kubernetes} <= nodes.keys() & source.keys()
    assert supported[-1] in source
    for version, image in nodes.items():
        assert re.fullmatch(rf"kindest/node:v{re.escape(version)}\.\d+@sha256:[0-9a-f]{{64}}", image)
    nightly = json.loads(read("workflows/nightly.yaml")["jobs"]["e2e"]["with"]["kubernetes"])
    assert nightly == list(nodes)
    pull_request = json.loads(re.findall(r"'(\[.+\])'", matrix()["kubernetes"])[0])
    assert pull_request == [min(nodes), max(nodes)]


def test_the_nodes_are_of_the_kind_that_the_workflow_installs() -> None:
    (install,) = re.findall(r"version: (v\d.+)", (GITHUB / "workflows/e2e.yaml").read_text())
    assert f"kind {install}, " in NODES.read_text()


def test_renovate_finds_the_programs_of_tools_toml() -> None:
    """Each entry that is built from a published module or taken from a wheel."""
    (tools,) = [file for file in (REPO / "tools.toml", REPO / "testbed/tools.toml") if file.exists()]
    text = tools.read_text()
    managers = json.loads((GITHUB / "renovate.json").read_text())["customManagers"]
    for manager, kind in zip(managers, ("go-install", "pypi-binary"), strict=False):
        (pattern,) = manager["matchStrings"]
        found = re.findall(pattern.replace("(?<", "(?P<"), text)
        assert len(found) == len(re.findall(f'(?m)^kind = "{kind}"', text)) > 1
