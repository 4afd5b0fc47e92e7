"""The built images, and a way to run them."""

import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflowops import images
from mlflowops.images import Image

from images.container import Runner


@pytest.fixture(scope="session")
def built() -> dict[str, Image]:
    """All images by name; built first where they are not."""
    return {image.name: image for image in images.build()}


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """Starts pods."""
    with tempfile.TemporaryDirectory(prefix="mlflowops-containers-") as folder:
        yield Runner(Path(folder))


@pytest.fixture
def port() -> int:
    """A port that is free on loopback."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that are free on loopback, as are those 10000 above, where weed puts gRPC."""
    found: set[int] = set()
    while len(found) < count:
        candidate = random.randrange(20000, 30000)
        if _free(candidate) and _free(candidate + 10000):
            found.add(candidate)
    return list(found)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A folder that any user can write to, as a volume with the right fsGroup."""
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    return folder
