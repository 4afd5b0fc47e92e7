"""The inputs of an image: testbed/images/images.toml, the folder of the image, and a hash of both."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import tomllib
from mlflowops.errors import OpsError

from testbed import paths

FOLDER = paths.BED / "images"
PREFIX = "localhost"
# Of an image: the digest of its recipe, so that a registry can be asked which one it has.
LABEL = "mlflow-kubernetes.recipe"


@dataclass(frozen=True)
class Rootfs:
    """A Debian root file system that stands in for a public base image."""

    name: str
    suite: str
    packages: tuple[str, ...]

    @property
    def ref(self) -> str:
        """The name under which a Dockerfile finds it while it is built."""
        return f"{PREFIX}/rootfs-{self.name}:latest"

    @property
    def digest(self) -> str:
        """Changes when the root file system would."""
        scripts = ((FOLDER / name).read_text() for name in ("rootfs.sh", "package-list.sh"))
        return _digest(self.suite, *self.packages, *scripts)

    @property
    def archive(self) -> Path:
        """The cached tar file."""
        return paths.cache("images") / f"rootfs-{self.name}-{self.digest}.tar"


@dataclass(frozen=True)
class Recipe:
    """One image of ours."""

    name: str
    tag: str
    args: tuple[tuple[str, "Recipe | Rootfs"], ...]

    @property
    def ref(self) -> str:
        """The name in the archive, in the nodes and in the charts."""
        return f"{PREFIX}/{self.name}:{self.tag}"

    @property
    def folder(self) -> Path:
        """The build context."""
        return FOLDER / self.name

    @property
    def digest(self) -> str:
        """Changes when anything that goes into the image does."""
        bases = [f"{arg}={base.name}:{base.digest}" for arg, base in self.args]
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        contents = [f"{path.relative_to(self.folder)} {_digest(path.read_bytes().hex())}" for path in files]
        return _digest(self.ref, *bases, *contents)

    @property
    def archive(self) -> Path:
        """The cached archive, as `docker save` would write it."""
        return paths.cache("images") / f"{self.name}-{self.digest}.tar"


def names() -> list[str]:
    """The images that a cluster runs, in the order in which they can be built."""
    return list(config()["images"])


def recipe(name: str) -> Recipe:
    """The recipe of one image."""
    images = config()["images"] | config().get("extra", {})
    if name not in images:
        raise OpsError("images", f"there is no image {name!r}", f"choose from {', '.join(images)}")
    entry = images[name]
    args = tuple((arg, _base(base)) for arg, base in entry["args"].items())
    return Recipe(name, entry["tag"], args)


def _base(name: str) -> Recipe | Rootfs:
    rootfs = config()["rootfs"]
    if name in rootfs["packages"]:
        suite = rootfs.get("suites", {}).get(name, rootfs["suite"])
        return Rootfs(name, suite, (*rootfs["common"], *rootfs["packages"][name]))
    return recipe(name)


def config() -> dict:
    """All of images.toml."""
    return tomllib.loads((FOLDER / "images.toml").read_text())


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
