"""Builds the container images, once per content: `build(names)` returns their archives."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mlflowops import console
from mlflowops.errors import OpsError

from testbed import container_engine, paths
from testbed.images import chroot, engine
from testbed.images.recipes import Recipe, Rootfs, names, recipe
from testbed.locks import locked

KEEP_SECONDS = 14 * 24 * 3600

Maker = Callable[[Path, Path, Path], None]


@dataclass(frozen=True)
class Image:
    """An image that can be loaded into a cluster: `archive` is what `docker save` would have written."""

    name: str
    ref: str
    archive: Path


def build(wanted: Iterable[str] = ()) -> list[Image]:
    """Build the named images or all; what was built before from the same inputs is used again."""
    return [_build(recipe(name)) for name in (list(wanted) or names())]


def known() -> list[tuple[Image, bool]]:
    """All images and whether they are built."""
    recipes = [recipe(name) for name in names()]
    return [(_image(item), item.archive.exists()) for item in recipes]


def _image(item: Recipe) -> Image:
    return Image(item.name, item.ref, item.archive)


def _build(item: Recipe) -> Image:
    if item.archive.exists():
        os.utime(item.archive)
        return _image(item)
    found = container_engine.running()
    for _, base in item.args:
        if isinstance(base, Recipe):
            _build(base)
        elif found is None:
            _cached(base, f"base {base.name}", lambda *places, base=base: chroot.make_rootfs(base, *places))
    if found is None:
        _cached(item, f"image {item.name}", lambda *places: chroot.build(item, *places))
    else:
        _cached(item, f"image {item.name}", lambda *places: engine.build(found, item, *places))
    return _image(item)


def _cached(item: Recipe | Rootfs, what: str, make: Maker) -> None:
    """Make `item.archive` unless it is there. Two processes never make the same one, a crash leaves none."""
    lock = paths.cache("images", "locks") / item.name
    with locked(lock, f"Waiting for another process that builds {what}"):
        archive = item.archive
        if archive.exists():
            return
        if container_engine.running() is None and os.geteuid() != 0:
            raise OpsError("images", "building without docker or podman needs root", "start one or use sudo")
        work = paths.cache("images", "work") / item.name
        chroot.remove(work)
        work.mkdir()
        log = paths.cache("images", "logs") / f"{item.name}.log"
        log.write_text("")
        try:
            with console.step(f"Building {what} (log: {log})"):
                make(work / "archive.tar", work, log)
            (work / "archive.tar").rename(archive)
        finally:
            chroot.remove(work)
        _forget_old(archive)


def _forget_old(current: Path) -> None:
    """Remove archives of former contents that have not been used for two weeks."""
    prefix = current.stem.rpartition("-")[0]
    for path in current.parent.glob(f"{prefix}-{'[0-9a-f]' * 16}.tar"):
        if path != current and time.time() - path.stat().st_mtime > KEEP_SECONDS:
            path.unlink(missing_ok=True)
