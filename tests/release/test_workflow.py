"""What the workflow `release` signs as: the words of notes and pages name it, and the provenance its run."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from mlflowops.paths import REPO
from testbed.release import notes, provenance
from testbed.release.commit import Source
from testbed.release.registry import Registry
from testbed.release.released_images import ReleasedImage
from testbed.release.signer import ISSUER, Signer

from release.commands import blocks

WORKFLOW = ".github/workflows/release.yaml"
OWNER = "mlflow-kubernetes"
REPOSITORY = f"{OWNER}/mlflow-kubernetes"
SOURCE = Source(REPO, "9.9.9", "c0ffee", 0, "### Added\n- Something.")
IMAGES = [ReleasedImage("mlflow", "3.0.0-9.9.9", each, Path("x.tar")) for each in ("amd64", "arm64")]
# What GitHub calls the workflow in the certificate of a signature.
IDENTITY = f"https://github.com/{REPOSITORY}/{WORKFLOW}@refs/tags/v9.9.9"


def identities(commands: str) -> set[str]:
    """The patterns that say who may have signed."""
    words = shlex.split(commands)
    return {words[place + 1] for place, word in enumerate(words) if word == "--certificate-identity-regexp"}


def test_the_workflow_is_the_one_that_is_trusted() -> None:
    workflow = yaml.safe_load((REPO / WORKFLOW).read_text())
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as a switch
    assert workflow["jobs"]["publish"]["permissions"]["id-token"] == "write"
    others = [job for name, job in workflow["jobs"].items() if name != "publish"]
    assert all(set(job["permissions"]) == {"contents"} for job in others)


def test_the_notes_trust_this_repository_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    text = notes.write(SOURCE, Registry(f"ghcr.io/{OWNER}"), Signer(), IMAGES)
    commands = blocks(text)[-1]
    (pattern,) = identities(commands)
    assert re.search(pattern, IDENTITY)
    assert not re.search(pattern, IDENTITY.replace(OWNER, "somebody"))
    assert not re.search(pattern, IDENTITY.replace("refs/tags", "refs/heads"))
    assert commands.count(ISSUER) == commands.count("cosign ") == 6
    assert "--plain-http" not in text and "--key" not in text
    for machine in ("amd64", "arm64"):
        assert f"--type cyclonedx ghcr.io/{OWNER}/images/mlflow:3.0.0-9.9.9-{machine}\n" in commands + "\n"


def test_the_page_for_users_trusts_this_owner_only() -> None:
    setup = blocks((REPO / "docs/install/verify.md").read_text())[0]
    (pattern,) = re.findall(r"--certificate-identity-regexp\s+'([^']+)'", setup)
    assert ISSUER in setup and re.search(pattern, IDENTITY)
    assert not re.search(pattern, IDENTITY.replace(OWNER, "somebody"))


def test_the_provenance_names_the_run() -> None:
    runner = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_WORKFLOW_REF": IDENTITY.removeprefix("https://github.com/"),
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_ATTEMPT": "2",
    }
    found = json.loads(provenance.predicate(SOURCE, REPO, runner))
    assert found["runDetails"]["builder"]["id"] == IDENTITY
    run = f"https://github.com/{REPOSITORY}/actions/runs/7/attempts/2"
    assert found["runDetails"]["metadata"]["invocationId"] == run
    (commit, *locked) = found["buildDefinition"]["resolvedDependencies"]
    assert commit == {
        "uri": f"git+https://github.com/{REPOSITORY}@refs/tags/v9.9.9",
        "digest": {"gitCommit": "c0ffee"},
    }
    assert len(locked) == 4 and all(len(each["digest"]["sha256"]) == 64 for each in locked)


def test_make_types_the_steps_that_the_rehearsal_types() -> None:
    command = [
        "make",
        "--dry-run",
        "--silent",
        "release",
        "REGISTRY=registry.example.com/a",
        "KEY=cosign.key",
    ]
    typed = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    steps = re.findall(r"testbed release (.+)", typed)
    publish = "publish 'registry.example.com/a' --key 'cosign.key'"
    assert [step.strip() for step in steps] == ["build", "images", "keep", publish]
