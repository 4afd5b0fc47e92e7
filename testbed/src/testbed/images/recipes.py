"""The inputs of an image: its entry in images.toml, its folder, files of the tree, and a hash of all."""

import hashlib
import json
import shutil
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
    files: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """The name in the archive, in the nodes and in the charts."""
        return f"{PREFIX}/{self.name}:{self.tag}"

    @property
    def folder(self) -> Path:
        """What is only for this image, such as its Dockerfile."""
        return FOLDER / self.name

    def inputs(self) -> dict[str, Path]:
        """Return the files that a build sees, by their paths in its context."""
        found = {path.relative_to(self.folder): path for path in self.folder.rglob("*")}
        for name in self.files:
            found |= {path.relative_to(paths.REPO): path for path in _below(paths.REPO / name)}
        return {str(name): path for name, path in sorted(found.items()) if path.is_file()}

    def context(self, work: Path) -> Path:
        """Return the build context; a copy in `work` where files are not of the image's folder."""
        if not self.files:
            return self.folder
        for name, path in self.inputs().items():
            target = work / "context" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        return work / "context"

    @property
    def digest(self) -> str:
        """Changes when anything that goes into the image does."""
        bases = [f"{arg}={base.name}:{base.digest}" for arg, base in self.args]
        contents = [f"{name} {_digest(path.read_bytes().hex())}" for name, path in self.inputs().items()]
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
    return Recipe(name, entry["tag"], args, tuple(entry.get("files", ())))


def _below(place: Path) -> list[Path]:
    """Return a file, or the files of a folder without compiled ones."""
    if place.is_file():
        return [place]
    return [path for path in place.rglob("*") if path.parent.name != "__pycache__"]


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
