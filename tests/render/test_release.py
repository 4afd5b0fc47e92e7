"""The release before this one: what it held, that it can be upgraded from, and the number of the next."""

import hashlib
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO
from released_charts import ARCHIVES, FOLDER, LAST, number

from render.chart import CASES, MLFLOW, Chart, Json, Manifest, Refused, identity

RELEASED = Chart(LAST)
# What Kubernetes refuses to change in an object that exists.
FROZEN = {
    "Deployment": ("selector",),
    "StatefulSet": ("selector", "serviceName", "volumeClaimTemplates"),
    "Job": ("selector", "template"),
    "PersistentVolumeClaim": ("accessModes", "storageClassName", "volumeName"),
}


def held(file: Path) -> dict[str, bytes]:
    """What is in an archive."""
    with tarfile.open(file) as archive:
        files = {each.name: archive.extractfile(each) for each in archive}
        return {name: file.read() for name, file in files.items() if file}


def test_every_archive_has_its_sum() -> None:
    sums = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}" for each in ARCHIVES]
    assert sorted(sums) == sorted((FOLDER / "SHA256SUMS").read_text().splitlines())


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.stem)
def test_an_archive_is_what_was_released(archive: Path) -> None:
    """Every file, where this clone has the tag."""
    files = held(archive)
    version = yaml.safe_load(files.pop("mlflow/Chart.yaml"))["version"]
    assert archive.name == f"mlflow-{version}.tgz"
    for name, content in files.items() if git("tag", "--list", f"v{version}") else ():
        assert git("show", f"v{version}:charts/{name}") == content, name


def git(*words: str) -> bytes:
    """What git says of this clone; nothing where it has no answer."""
    return subprocess.run(["git", "-C", REPO, *words], capture_output=True).stdout


def test_the_next_release_has_a_number_and_a_place_in_the_changelog() -> None:
    last = yaml.safe_load(held(LAST)["mlflow/Chart.yaml"])["version"]
    ours = yaml.safe_load((MLFLOW.folder / "Chart.yaml").read_text())["version"]
    assert number(Path(f"mlflow-{ours}.tgz")) > number(LAST)
    sections = re.findall(r"(?m)^## (\S+)", (REPO / "CHANGELOG.md").read_text())
    assert sections[0] in ("Unreleased", ours) and sections[1] == last


def test_every_shape_of_the_last_release_can_be_upgraded() -> None:
    """Except cases with keys that it did not have yet."""
    compared = 0
    for case in CASES:
        try:
            old = RELEASED.render(case)
        except Refused:
            continue
        new = MLFLOW.render(case)
        compared += 1
        refused = frozen(old).items() - frozen(new).items()
        assert not refused, (case.name, refused)
        assert secrets(new) <= secrets(old), f"{case.name}: pods wait for a Secret that no page names"
    assert compared > 12


def frozen(manifest: Manifest) -> dict[str, str]:
    """What stays as long as an object is there, and that it is there."""
    return {
        f"{identity(each)} {field}": yaml.safe_dump(each["spec"].get(field))
        for each in manifest.objects
        for field in FROZEN.get(each["kind"], ())
    }


def secrets(manifest: Manifest) -> set[tuple[str, str]]:
    """`(Secret, key)` of every variable that a container of the release cannot start without."""
    return {
        (reference["name"], reference["key"])
        for _, pod in manifest.pods()
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
        for reference in map(from_secret, container.get("env", []))
        if reference and not reference.get("optional")
    }


def from_secret(variable: Json) -> Json:
    found: Json = variable.get("valueFrom", {}).get("secretKeyRef", {})
    return found
