"""A binary file in git is in binaries.yaml, which says what it is and where its hash stands."""

import hashlib
import subprocess
from fnmatch import fnmatch

import yaml
from mlflowops.paths import REPO

LISTED = yaml.safe_load((REPO / "tests/repository/binaries.yaml").read_text())


def binaries() -> list[str]:
    """Files that are in git, or are not ignored, and hold a zero byte, as git itself decides it."""
    command = ["git", "-C", str(REPO), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    files = [name for name in names if (REPO / name).is_file()]
    return [name for name in files if b"\0" in (REPO / name).read_bytes()]


def test_every_binary_is_listed_and_has_the_hash_of_its_list() -> None:
    found = {pattern: [name for name in binaries() if fnmatch(name, pattern)] for pattern in LISTED}
    assert sorted(binaries()) == sorted(name for names in found.values() for name in names)
    for pattern, names in found.items():
        assert names and LISTED[pattern]["what"], pattern
        sums = (REPO / LISTED[pattern]["sums"]).read_text().splitlines()
        for name in names:
            file = REPO / name
            assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" in sums
