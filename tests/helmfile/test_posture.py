"""kube-score and checkov find nothing in the chart but what posture.yaml has a reason for."""

import json
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from render.chart import MLFLOW

from helmfile.helmfile import Json
from testbed import paths, tools

EXCEPTIONS = yaml.safe_load(Path(__file__).with_name("posture.yaml").read_text())
LOCK = Path(__file__).with_name("checkov.lock")
Findings = set[tuple[str, str]]
"""Pairs of a check and `<case>/<kind>/<name>`."""


@pytest.fixture(scope="module")
def manifests(rendered: dict[str, list[Json]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The default chart, one with nearly every key, and the two environments for a cluster, as files."""
    cases = {
        name: MLFLOW.render(MLFLOW.folder / f"ci/{name}-values.yaml") for name in ("default", "everything")
    }
    objects = {name: manifest.objects for name, manifest in cases.items()}
    objects |= {name: rendered[name] for name in ("dev", "prod")}
    folder = tmp_path_factory.mktemp("posture")
    files = {name: folder / f"{name}.yaml" for name in objects}
    for name, file in files.items():
        file.write_text(yaml.dump_all(objects[name], Dumper=yaml.CSafeDumper))
    return files


def kube_score(case: str, file: Path) -> Findings:
    command = [tools.ensure("kube-score"), "score", "--output-format", "json", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return {
        (check["check"]["id"], f"{case}/{item['type_meta']['kind']}/{item['object_meta']['name']}")
        for item in json.loads(done.stdout)
        for check in item["checks"]
        if not check["skipped"] and check["grade"] < 10
    }


def checkov(case: str, file: Path) -> Findings:
    words = ["--framework", "kubernetes", "--skip-download", "--compact", "--quiet", "--output", "json"]
    command = [_checkov(), "--file", file, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout, done.stderr
    failed = json.loads(done.stdout)["results"]["failed_checks"]
    return {(each["check_id"], _named(case, each["resource"])) for each in failed}


def _named(case: str, resource: str) -> str:
    """A resource is `<kind>.<namespace>.<name>`, and more for a pod that an object makes."""
    kind, _, name = resource.split(".")[:3]
    return f"{case}/{kind}/{name}"


def _checkov() -> Path:
    """Its command, in an environment of its own: it needs a hundred packages."""
    folder = paths.cache("checkov", sha256(LOCK.read_bytes()).hexdigest()[:16])
    if not (folder / "ready").exists():
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", folder], check=True)
        words = ["--quiet", "--no-deps", "--require-hashes", "--requirement", LOCK]
        subprocess.run([uv, "pip", "install", "--python", folder / "bin/python", *words], check=True)
        (folder / "ready").touch()
    return folder / "bin/checkov"


@pytest.mark.parametrize("tool", [kube_score, pytest.param(checkov, marks=pytest.mark.sweep)])
def test_every_finding_has_a_reason(
    tool: Callable[[str, Path], Findings], manifests: dict[str, Path]
) -> None:
    """And every reason, with each of its places, has a finding."""
    known = EXCEPTIONS[tool.__name__.replace("_", "-")]
    places = {(check, place) for check, each in known.items() for place in each.get("where", ["*"])}
    findings = {finding for case, file in manifests.items() for finding in tool(case, file)}
    assert len(findings) > 10

    def covers(place: tuple[str, str], finding: tuple[str, str]) -> bool:
        return place[0] == finding[0] and fnmatch(finding[1], place[1])

    assert [each for each in sorted(findings) if not any(covers(place, each) for place in places)] == []
    assert [each for each in sorted(places) if not any(covers(each, finding) for finding in findings)] == []


@pytest.mark.parametrize("tool", EXCEPTIONS)
def test_every_reason_is_written(tool: str) -> None:
    assert all(len(each["why"].split()) > 4 for each in EXCEPTIONS[tool].values())
