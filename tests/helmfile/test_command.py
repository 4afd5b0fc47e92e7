"""`mlflowops helmfile`: the test bed's pinned helmfile where it is installed, else the one on PATH."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflowops import helmfile
from mlflowops.errors import OpsError


def program(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_it_is_the_pinned_one_from_any_directory(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("mlflowops"), "helmfile", "--environment", "local", "list"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {"postgres", "seaweedfs", "mlflow"}


def test_the_test_bed_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    own = program(tmp_path, "helmfile")
    assert helmfile._helmfile_command() == [str(own)]
    testbed = program(tmp_path, "testbed")
    assert helmfile._helmfile_command() == [str(testbed), "helmfile"]


def test_without_any_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/nowhere")
    with pytest.raises(
        OpsError, match=r"^mlflowops: helmfile: it is not installed; run `make tools`, or put"
    ):
        helmfile._helmfile_command()
