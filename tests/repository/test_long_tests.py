"""tests/long_tests.py names tests that exist, and leaves cases of their files to `make test`."""

import subprocess
import sys

from long_tests import LONG
from mlflowops.paths import REPO


def test_every_line_is_about_a_test_and_leaves_others() -> None:
    files = sorted({f"tests/{file}" for file, _, _ in LONG})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    command += ["-o", "addopts="]
    both = {
        marks: subprocess.run([*command, "-m", marks], cwd=REPO, capture_output=True, text=True).stdout
        for marks in ("nightly", "not nightly")
    }
    for file, name, _ in LONG:
        stem = name if name != ".*" else "test_"
        assert f"tests/{file}::{stem}" in both["nightly"], (file, name)
        assert f"tests/{file}::" in both["not nightly"], file
