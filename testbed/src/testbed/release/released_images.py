"""The images of a release: built here, for this machine's processor type."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from testbed import images
from testbed.archives.scratch_image import ARCHITECTURES
from testbed.images import recipes
from testbed.release import image_sbom
from testbed.release.commit import Source


@dataclass(frozen=True)
class ReleasedImage:
    """An image in the folder of a release, for one processor type."""

    name: str
    tag: str
    """Its tag in the registry: the version of what it holds, and the version of the release."""
    architecture: str
    archive: Path

    @property
    def sbom(self) -> Path:
        """The list of what is in it."""
        return self.archive.with_suffix(".cdx.json")


def names() -> list[str]:
    """The images that a release publishes; the others are the test bed's."""
    return list(recipes.config()["release"]["images"])


def build(source: Source, folder: Path, wanted: list[str]) -> None:
    """Build images and the lists of what is in them into `folder`; what is there from before stays."""
    folder.mkdir(parents=True, exist_ok=True)
    architecture = ARCHITECTURES[platform.machine()]
    for image in images.build(wanted):
        archive = folder / f"{image.name}-{architecture}.tar"
        sbom = archive.with_suffix(".cdx.json")
        if archive.exists() and sbom.exists() and archive.samefile(image.archive):
            continue
        _link(image.archive, archive)
        sbom.write_text(image_sbom.write(archive, image.name, tag(source, image.name), source.date))


def found(source: Source, folder: Path) -> list[ReleasedImage]:
    """Return the images in the folder of a release, also those that other machines built."""
    return [
        ReleasedImage(name, tag(source, name), architecture, archive)
        for archive in sorted(folder.glob("*.tar"))
        for name, _, architecture in [archive.stem.rpartition("-")]
    ]


def tag(source: Source, name: str) -> str:
    """Return the tag of an image in the registry."""
    return f"{recipes.recipe(name).tag}-{source.version}"


def _link(archive: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(archive, target)
    except OSError:  # the cache is on another file system
        shutil.copyfile(archive, target)
