"""Looks into an image's archive, as `docker save` writes it."""

import json
import subprocess
import tarfile
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from testbed.images import Image


class Archive:
    """What is inside an image's archive."""

    def __init__(self, image: Image) -> None:
        self.image = image
        # "r:" refuses what is compressed, here and for the layers.
        self._tar = tarfile.open(image.archive, "r:")  # noqa: SIM115
        manifest = json.load(_member(self._tar, "manifest.json"))
        assert len(manifest) == 1
        self.manifest: dict[str, Any] = manifest[0]
        self.settings: dict[str, Any] = json.load(_member(self._tar, self.manifest["Config"]))
        self.config: dict[str, Any] = self.settings["config"]
        self.layers: list[str] = self.manifest["Layers"]

    @cached_property
    def members(self) -> list[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        """Every file and folder of every layer, with its layer, from the lowest up."""
        return [(layer, member) for layer in map(self._layer, self.layers) for member in layer]

    def _layer(self, name: str) -> tarfile.TarFile:
        return tarfile.open(fileobj=_member(self._tar, name), mode="r:")

    def read(self, path: str) -> bytes:
        """The content of a file, from the topmost layer that has it."""
        layer, member = next(found for found in reversed(self.members) if found[1].name == path)
        found = layer.extractfile(member)
        assert found, path
        return found.read()

    def unpack(self, folder: Path) -> list[Path]:
        """Unpack each layer into a folder of its own, once; return them from the lowest up."""
        targets = [folder / name.replace("/", "-") for name in self.layers]
        for name, target in zip(self.layers, targets, strict=True):
            if target.exists():
                continue
            target.mkdir(parents=True)
            take: list[str | Path] = ["tar", "--extract", "--to-stdout", "--file", self.image.archive, name]
            put: list[str | Path] = ["tar", "--extract", "--numeric-owner", "--same-permissions"]
            with subprocess.Popen(take, stdout=subprocess.PIPE) as outer:
                subprocess.run([*put, "--directory", target], stdin=outer.stdout, check=True)
        return targets


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    assert found, name
    return found
