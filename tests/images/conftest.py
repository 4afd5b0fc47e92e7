"""The built images, and a way to run them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime.network import free_port

from images.container import Runner
from testbed import images
from testbed.images import Image


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
    return free_port()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A folder that any user can write to, as a volume with the right fsGroup."""
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    return folder
