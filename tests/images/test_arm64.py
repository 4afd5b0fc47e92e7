"""The server image can be built for arm64: each locked package has a wheel for it, whose hash is locked."""

import re
import subprocess
import sys
from pathlib import Path

from testbed.images import recipes

LOCK = recipes.FOLDER / "mlflow/requirements.lock"
UV = Path(sys.executable).parent / "uv"


def chosen(platform: str, lock: Path, folder: Path) -> set[str]:
    """The packages that pip would install on a platform; nothing is installed."""
    words = ["--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", folder]
    words += ["--python-platform", platform, "--python-version", "3.13"]
    command = [UV, "pip", "install", *words, "--requirement", lock]
    done = subprocess.run([*command, "--python", sys.executable], capture_output=True, text=True)
    return set(re.findall(r"(?m)^ \+ (\S+==\S+)", done.stderr))


def test_each_locked_package_has_a_wheel_for_arm64(tmp_path: Path) -> None:
    """As for amd64, of which the image is built and run. Debian 13 has glibc 2.41."""
    locked = set(re.findall(r"(?m)^([\w.-]+==\S+?)(?: ;| \\|$)", LOCK.read_text()))
    for machine in ("x86_64", "aarch64"):
        assert chosen(f"{machine}-manylinux_2_40", LOCK, tmp_path) == locked


def test_a_package_without_such_a_wheel_is_found(tmp_path: Path) -> None:
    """Some of these packages have none for Windows on arm64."""
    assert chosen("aarch64-pc-windows-msvc", LOCK, tmp_path) == set()
