"""The clock of one node jumps while people track: pod/clock.c shifts it for all processes of a server pod."""

import base64
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.faults.conftest import VALUES, Change
from e2e.faults.people import SCRIPTS
from e2e.faults.release import Release

pytestmark = pytest.mark.nightly

HOUR, SECONDS = 3600, 30
SHIFT = """
import sys
with open("/tmp/clock", "r+b") as file:
    file.write(int(sys.argv[1]).to_bytes(8, "little", signed=True))
"""
LIBRARY = {"LD_PRELOAD": "/clock/clock.so", "CLOCK_FILE": "/tmp/clock"}
VOLUME = {"name": "clock", "configMap": {"name": "clock", "defaultMode": 0o555}}


@pytest.fixture
def clocks(release: Release, change: Change, tmp_path: Path) -> Iterator[Release]:
    """The release, with a clock in each server pod that can be set."""
    library = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SCRIPTS / "clock.c"], check=True)
    data = {"clock.so": base64.b64encode(library.read_bytes()).decode()}
    release.kube.core.create_namespaced_config_map(
        release.namespace, {"metadata": {"name": "clock"}, "binaryData": data}
    )
    mount = {"name": "clock", "mountPath": "/clock", "readOnly": True}
    change(mlflow={**VALUES["mlflow"], "env": LIBRARY}, extraVolumes=[VOLUME], extraVolumeMounts=[mount])
    yield release
    release.kube.core.delete_namespaced_config_map("clock", release.namespace)


def set_clock(release: Release, pod: str, seconds: int) -> None:
    """Of all processes of the server; then it is that much ahead of the other pods'."""
    said = release.kube.exec(release.namespace, pod, ["python", "-c", SHIFT, str(seconds)], "mlflow")
    assert not said, said
    ask = ["python", "-c", "import time, datetime; print(time.time(), datetime.datetime.now().timestamp())"]
    for found in release.kube.exec(release.namespace, pod, ask, "mlflow").split():
        assert abs(float(found) - time.time() - seconds) < HOUR / 2


def jump(release: Release, seconds: int, words: str) -> None:
    """S3 refuses what a pod signs whose clock is 15 minutes wrong, so it refuses artifacts meanwhile.

    Uploads by 503. Downloads by 500: the answer to their HEAD has no body, which would say why.
    """
    pod = release.names()[0]

    def happen() -> None:
        set_clock(release, pod, seconds)
        time.sleep(SECONDS)
        set_clock(release, pod, 0)
        time.sleep(SECONDS)

    fault = f"The clock of one of two pods is an hour {words} for {SECONDS} s"
    outcome = release.under_load(fault, happen)
    assert set(outcome.refused) <= {"500", "503"}
    assert outcome.restarts == 0


def test_a_clock_jumps_ahead(clocks: Release) -> None:
    jump(clocks, HOUR, "ahead")


def test_a_clock_jumps_back(clocks: Release) -> None:
    jump(clocks, -HOUR, "behind")
