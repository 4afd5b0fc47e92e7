"""Keeps unpacked image layers for the nodes of all later clusters.

Copying and unpacking layers is nearly all of the work of loading an image, and nearly all of a node's
disk. Neither a packed nor an unpacked layer ever changes, so nodes can share their files as hard links:
the first node imports an archive and gives what it made to this store, every other node takes it.
"""

import contextlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from mlflowops import shell

from testbed import paths
from testbed.archives import oci
from testbed.cluster.image_archives import ArchivedImage, Ctr
from testbed.locks import locked

KEEP_SECONDS = 14 * 24 * 3600
CONTENT = "containerd/io.containerd.content.v1.content/blobs/sha256"


def can_share(disk: Path) -> bool:
    """Whether the store's files can be linked to a node's disk: only within one file system."""
    return disk.stat().st_dev == _store("images").stat().st_dev


def contains(image: ArchivedImage) -> bool:
    """Whether an image can be taken."""
    return _record(image).exists()


def add(ctr: Ctr, disk: Path, image: ArchivedImage) -> None:
    """Keep what a node made of an image."""
    with locked(_store() / "lock", "Waiting for another process that stores an image"):
        _remove_unused()
        packed = disk / CONTENT
        listed = shell.run([*ctr, "images", "list", f"name=={image.ref}"]).stdout.split()
        manifest = next(word for word in listed if word.startswith("sha256:"))
        content = json.loads((packed / _hex(manifest)).read_text())
        blobs = [manifest, content["config"]["digest"], *(each["digest"] for each in content["layers"])]
        for blob in blobs:
            _link(packed / _hex(blob), _blob(blob))
        for layer, folder in zip(image.layers, _unpacked(ctr, disk, image), strict=True):
            _link_tree(folder, _layer(layer))
        kept = {"manifest": manifest, "blobs": blobs, "layers": image.layers}
        _record(image).write_text(json.dumps(kept))


def link_into(ctr: Ctr, disk: Path, image: ArchivedImage) -> None:
    """Give a node an image from the store."""
    os.utime(_record(image))
    kept = json.loads(_record(image).read_text())
    small = disk / f"take-{_hex(image.config)}.tar"
    manifest = _blob(kept["manifest"]).read_bytes()
    content = json.loads(manifest)
    oci.write(small, image.ref, manifest, [_blob(image.config).read_bytes()], content["mediaType"])
    # The first import says what belongs to the image, so that nothing of it is tidied up before it is whole.
    shell.run([*ctr, "images", "import", "--local", "--no-unpack", small])
    for layer in content["layers"]:
        _link_packed(ctr, disk, layer)
    for below, layer in zip(["", *image.layers], image.layers, strict=False):
        _link_unpacked(ctr, disk, layer, below)
    shell.run([*ctr, "images", "import", "--local", small])  # finds everything in place
    small.unlink()


def _link_packed(ctr: Ctr, disk: Path, layer: dict[str, Any]) -> None:
    """containerd sees that the file exists, and only records it."""
    source, target = _blob(layer["digest"]), disk / CONTENT / _hex(layer["digest"])
    _link(source, target)
    expected = [f"--expected-digest={layer['digest']}", f"--expected-size={layer['size']}"]
    ingest = [*ctr, "content", "ingest", *expected, f"take-{layer['digest']}"]
    shell.run(["sh", "-c", 'exec "$@" <"$0"', source, *ingest])
    # It may have tidied the file up in the meantime, as one that nothing needs, and have written its own.
    if not target.samefile(source):
        again = disk / f"take-{target.name}"
        _link(source, again)
        again.replace(target)


def _link_unpacked(ctr: Ctr, disk: Path, layer: str, below: str) -> None:
    if shell.run([*ctr, "snapshots", "info", layer], check=False).returncode == 0:
        return
    active = f"take-{layer}"
    shell.run([*ctr, "snapshots", "remove", active], check=False)  # what a crash left
    made = shell.run([*ctr, "snapshots", "prepare", "--mounts", active, *([below] if below else [])])
    shell.run(["cp", "--archive", "--link", f"{_layer(layer)}/.", _folders(disk, made.stdout)[0]])
    shell.run([*ctr, "snapshots", "commit", layer, active])


def _unpacked(ctr: Ctr, disk: Path, image: ArchivedImage) -> list[Path]:
    """Where a node has the layers of an image."""
    view = f"give-{image.config}"
    shell.run([*ctr, "snapshots", "remove", view], check=False)  # what a crash left
    made = shell.run([*ctr, "snapshots", "view", "--mounts", view, image.layers[-1]])
    shell.run([*ctr, "snapshots", "remove", view], check=False)
    return _folders(disk, made.stdout)[::-1]


def _folders(disk: Path, mounts: str) -> list[Path]:
    """The folders behind containerd's mounts: the one to write in if there is one, else all, top first."""
    [mount] = json.loads(mounts)
    options = dict(option.split("=", 1) for option in mount["Options"] if "=" in option)
    where = options.get("upperdir") or options.get("lowerdir") or mount["Source"]
    return [disk / Path(folder).relative_to("/var/lib") for folder in where.split(":")]


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        target.hardlink_to(source)


def _link_tree(source: Path, target: Path) -> None:
    if target.exists():
        return
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)  # what a crash left
    partial.mkdir()
    shell.run(["cp", "--archive", "--link", f"{source}/.", partial])
    partial.rename(target)


def _remove_unused() -> None:
    """Remove images that have not been used for two weeks, and what only they needed."""
    needed: set[str] = set()
    for record in _store("images").iterdir():
        if time.time() - record.stat().st_mtime > KEEP_SECONDS:
            record.unlink()
        else:
            kept = json.loads(record.read_text())
            needed.update(_hex(each) for each in [*kept["blobs"], *kept["layers"]])
    for path in [*_store("blobs").iterdir(), *_store("layers").iterdir()]:
        if path.name not in needed:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _store(*parts: str) -> Path:
    return paths.cache("containerd", *parts)


def _record(image: ArchivedImage) -> Path:
    return _store("images") / f"{_hex(image.config)}.json"


def _blob(digest: str) -> Path:
    return _store("blobs") / _hex(digest)


def _layer(digest: str) -> Path:
    return _store("layers") / _hex(digest)


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
