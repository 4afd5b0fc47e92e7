"""A whole release, rehearsed: built, pushed to a registry, signed, and verified without another machine.

What is released never changes: the same commit changes nothing, another one is refused with a sentence.
"""

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tomllib
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from mlflowops.paths import REPO
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from released_charts import ARCHIVES

from release.commands import blocks, contents, shell
from release.conftest import Rehearsal, make_key
from release.packages import debian_packages, names
from release.rehearsal import FILES, IMAGE, TAG, VERSION, Clone
from testbed import images
from testbed.images import recipes

VERIFY = REPO / "docs/install/verify.md"


def test_the_folder_has_every_file_of_the_release(rehearsal: Rehearsal) -> None:
    dist = rehearsal.clone.dist
    assert sorted(file.name for file in dist.iterdir() if file.is_file()) == FILES
    found = sorted(file.name for file in (dist / "images").iterdir())
    assert found == [f"{IMAGE}-amd64.cdx.json", f"{IMAGE}-amd64.tar"]


def test_the_commands_of_the_notes_verify_it(rehearsal: Rehearsal) -> None:
    notes = (rehearsal.clone.dist / "notes.md").read_text()
    assert notes.startswith("### Added\n- What a rehearsal adds.\n")
    verify = blocks(notes)[-1]
    assert f"{rehearsal.registry}/mlflow:{VERSION}" in verify and rehearsal.image() in verify
    done = shell(verify, rehearsal.clone.dist)
    assert done.returncode == 0, done.stderr


def test_each_of_these_commands_refuses_another_key(rehearsal: Rehearsal, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes((rehearsal.clone.dist / name).read_bytes())
    make_key(tmp_path)
    commands = blocks((tmp_path / "notes.md").read_text())[-1].splitlines()
    signed = [command for command in commands if command.startswith("cosign")]
    assert len(signed) >= 5
    for command in signed:
        assert shell(command, tmp_path).returncode, command


@pytest.mark.parametrize("name", [f"mlflow-{VERSION}.tgz", "SHA256SUMS"])
def test_a_changed_file_is_refused(rehearsal: Rehearsal, name: str, tmp_path: Path) -> None:
    for each in FILES:
        (tmp_path / each).write_bytes((rehearsal.clone.dist / each).read_bytes())
    with (tmp_path / name).open("ab") as changed:
        changed.write(b"\n")
    assert shell(blocks((tmp_path / "notes.md").read_text())[-1], tmp_path).returncode


def test_the_commands_for_users_verify_it(rehearsal: Rehearsal, tmp_path: Path) -> None:
    """docs/install/verify.md, with this registry and this key in place of the names of a real release."""
    setup, *rest = blocks(VERIFY.read_text())
    names = set(re.findall(r"(?m)^(\w+)=", setup))
    assert names == {"REGISTRY", "VERSION", "IMAGE", "SIGNED_BY"}
    for name in FILES:
        (tmp_path / name).write_bytes((rehearsal.clone.dist / name).read_bytes())
    key = f"(--key {tmp_path}/cosign.pub --insecure-ignore-tlog)"
    mine = f"REGISTRY={rehearsal.registry} VERSION={VERSION} IMAGE={rehearsal.image(TAG)} SIGNED_BY={key}\n"
    script = "".join(rest).replace("helm pull ", "helm pull --plain-http ")
    done = shell(mine + script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "image.cdx.json").read_text())["bomFormat"] == "CycloneDX"


def test_the_chart_of_the_registry_is_that_of_the_folder_and_of_the_repository(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    pull = f"helm pull oci://{rehearsal.registry}/mlflow --version {VERSION} --plain-http"
    assert shell(pull, tmp_path).returncode == 0
    name = f"mlflow-{VERSION}.tgz"
    pulled = (tmp_path / name).read_bytes()
    assert pulled == (rehearsal.clone.dist / name).read_bytes()
    assert pulled == (rehearsal.clone.folder / "tests/e2e/released" / name).read_bytes()
    tagged = rehearsal.clone.git("rev-parse", f"v{VERSION}^{{commit}}", "HEAD").split()
    assert len(set(tagged)) == 1


def test_earlier_releases_are_kept(rehearsal: Rehearsal) -> None:
    checked = shell("sha256sum --check SHA256SUMS", rehearsal.clone.folder / "tests/e2e/released")
    names = [*(each.name for each in ARCHIVES), f"mlflow-{VERSION}.tgz"]
    assert sorted(checked.stdout.splitlines()) == sorted(f"{name}: OK" for name in names)


def test_the_provenance_names_the_commit_and_what_it_is_about(rehearsal: Rehearsal) -> None:
    key = rehearsal.key.with_suffix(".pub")
    for reference in (f"{rehearsal.registry}/mlflow:{VERSION}", rehearsal.image(TAG)):
        verify = (
            f"cosign verify-attestation --key {key} --insecure-ignore-tlog --type slsaprovenance1 {reference}"
        )
        done = shell(verify, rehearsal.clone.dist)
        assert done.returncode == 0, done.stderr
        statement: Any = json.loads(base64.b64decode(json.loads(done.stdout)["payload"]))
        digest = shell(f"crane digest {reference}", rehearsal.clone.dist).stdout.strip()
        assert f"sha256:{statement['subject'][0]['digest']['sha256']}" == digest
        commit = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"]
        assert commit == rehearsal.clone.git("rev-parse", "HEAD").strip()


def sboms(rehearsal: Rehearsal) -> list[Path]:
    return sorted(rehearsal.clone.dist.rglob("*.cdx.json"))


def test_sboms_are_valid_cyclonedx(rehearsal: Rehearsal) -> None:
    assert len(sboms(rehearsal)) == 2
    for sbom in sboms(rehearsal):
        version = SchemaVersion.from_version(json.loads(sbom.read_text())["specVersion"])
        assert JsonStrictValidator(version).validate_str(sbom.read_text()) is None, sbom


def test_the_sbom_of_the_wheel_has_all_that_it_requires(rehearsal: Rehearsal) -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    wanted = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
    locked = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", (REPO / "requirements-dev.lock").read_text()))
    found = names(rehearsal.clone.dist / f"mlflowops-{VERSION}.cdx.json")
    assert wanted | {"sqlalchemy", "certifi"} <= set(found)
    assert not {"pytest", "ruff"} & set(found)
    assert found == {name: locked[name] for name in found}


def test_the_sbom_of_an_image_has_every_debian_package(rehearsal: Rehearsal) -> None:
    """Those that its own list names, which was written where the packages were unpacked."""
    (built,) = images.build([IMAGE])
    listed = debian_packages(built.archive)
    assert {"libc6", "postgresql-15", "ca-certificates"} <= set(listed)
    found = names(rehearsal.clone.dist / f"images/{IMAGE}-amd64.cdx.json")
    assert {name: found.get(name) for name in listed} == listed


def test_a_second_release_changes_nothing(rehearsal: Rehearsal) -> None:
    before = contents(rehearsal.clone.folder), rehearsal.published()
    for done in rehearsal.run():
        assert done.returncode == 0, done.stderr
    after = contents(rehearsal.clone.folder), rehearsal.published()
    assert {**after[0], ".git/index": ""} == {**before[0], ".git/index": ""}
    assert after[1] == before[1]


def test_another_clone_builds_the_same_files(rehearsal: Rehearsal, tmp_path: Path) -> None:
    copy = Clone.of(rehearsal.clone.folder, tmp_path / "clone")
    done = copy.release("build")
    assert done.returncode == 0, done.stderr
    same = [name for name in FILES if "sigstore" not in name and name not in ("cosign.pub", "notes.md")]
    for name in same:
        assert (copy.dist / name).read_bytes() == (rehearsal.clone.dist / name).read_bytes(), name


def refused(done: "subprocess.CompletedProcess[str]", sentence: str) -> None:
    """One sentence on stderr, and nothing else went wrong."""
    assert done.returncode == 2, done.stderr
    last = " ".join(done.stderr.split())
    assert sentence in last and "Traceback" not in last, done.stderr


def test_other_content_under_a_published_version_is_refused(rehearsal: Rehearsal, tmp_path: Path) -> None:
    """By the tag, by the folder, by the kept chart, and at last by the registry; nothing is pushed."""
    before = rehearsal.published()
    subprocess.run(["cp", "--archive", rehearsal.clone.folder, tmp_path / "clone"], check=True)
    changed = Clone(tmp_path / "clone")
    changed.change("charts/mlflow/templates/NOTES.txt", r"\A", "{{- /* Another chart. */ -}}\n")
    refused(changed.release("build"), "there are changes; commit them first.")
    changed.commit()
    refused(changed.release("build"), f"tag v{VERSION}: it is at commit")
    changed.git("tag", "--delete", f"v{VERSION}")
    refused(changed.release("build"), "this commit gives another file of that name; raise version")
    subprocess.run(["rm", "-r", changed.dist], check=True)
    assert changed.release("build").returncode == 0
    refused(changed.release("keep"), "another chart of this version was released; raise version")
    publish = ["publish", rehearsal.registry, "--key", str(rehearsal.key)]
    refused(changed.release(*publish), "the registry has another chart under this version; raise version")
    assert rehearsal.published() == before


def test_another_image_under_a_published_version_is_refused(rehearsal: Rehearsal) -> None:
    label = f"{recipes.LABEL}=another-recipe"
    right = rehearsal.image()
    digest = shell(f"crane digest {right}", Path.cwd()).stdout.strip()
    other = f"crane mutate --label {label} --tag {right} {right}"
    assert shell(other, Path.cwd()).returncode == 0
    try:
        done = rehearsal.clone.release("publish", rehearsal.registry, "--key", str(rehearsal.key))
        refused(done, f"{right}: the registry has another image under this version; raise version")
    finally:
        repository = right.rpartition(":")[0]
        assert shell(f"crane tag {repository}@{digest} {TAG}-amd64", Path.cwd()).returncode == 0


@pytest.mark.parametrize(
    ("file", "pattern", "new", "sentence"),
    [
        (
            "CHANGELOG.md",
            rf"## {VERSION} - .+\n",
            "",
            f"CHANGELOG.md: there is no section of version {VERSION};",
        ),
        (
            "pyproject.toml",
            rf'"{VERSION}"',
            '"9.9.8"',
            f"pyproject.toml has version 9.9.8, Chart.yaml {VERSION};",
        ),
    ],
)
def test_a_release_that_is_not_prepared_is_refused(
    file: str, pattern: str, new: str, sentence: str, tmp_path: Path
) -> None:
    clone = Clone.of(REPO, tmp_path / "clone")
    clone.prepare()
    clone.change(file, pattern, new)
    clone.commit()
    refused(clone.release("build"), sentence)
