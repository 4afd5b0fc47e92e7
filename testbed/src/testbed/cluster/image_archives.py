"""Imports images from archives into the containerd of a node, unless it has them."""

import hashlib
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflowops import shell
from mlflowops.errors import OpsError

Ctr = Sequence[str | Path]
"""The command line that reaches a node's containerd, up to `ctr`'s own sub-commands."""


@dataclass(frozen=True)
class ArchivedImage:
    """An image in an archive.

    Attributes:
        ref: its full name.
        config: the digest of its config, which names its content.
        layers: the digests of its layers, each with all below it.
    """

    ref: str
    config: str
    layers: tuple[str, ...]


def content(archive: Path) -> list[ArchivedImage]:
    """The images in a docker or OCI archive."""
    try:
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            if "manifest.json" in names:  # docker's format; some archives are both
                return _docker_images(tar)
            return _oci_images(tar)
    except (tarfile.TarError, KeyError) as error:
        wrong = "not a docker or OCI image archive"
        raise OpsError(str(archive), wrong, "write it with `docker save` or `buildah push`") from error


def _docker_images(tar: tarfile.TarFile) -> list[ArchivedImage]:
    found = []
    for image in _json(tar, "manifest.json"):
        config = "sha256:" + image["Config"].removeprefix("blobs/sha256/").removesuffix(".json")
        layers = _chain_ids(_json(tar, image["Config"]))
        found += [ArchivedImage(ref, config, layers) for ref in image["RepoTags"] or []]
    return found


def _oci_images(tar: tarfile.TarFile) -> list[ArchivedImage]:
    found = []
    for entry in _json(tar, "index.json")["manifests"]:
        config = _blob(tar, entry["digest"])["config"]["digest"]
        ref = entry["annotations"]["io.containerd.image.name"]
        found.append(ArchivedImage(ref, config, _chain_ids(_blob(tar, config))))
    return found


def _chain_ids(config: dict[str, Any]) -> tuple[str, ...]:
    """Names of unpacked layers: a digest over the layer's own and the name of all below (OCI's "ChainID")."""
    chain: list[str] = []
    for own in config["rootfs"]["diff_ids"]:
        named = f"{chain[-1]} {own}".encode() if chain else b""
        chain.append(f"sha256:{hashlib.sha256(named).hexdigest()}" if chain else own)
    return tuple(chain)


def _blob(tar: tarfile.TarFile, digest: str) -> Any:
    return _json(tar, f"blobs/sha256/{digest.removeprefix('sha256:')}")


def _json(tar: tarfile.TarFile, path: str) -> Any:
    member = tar.extractfile(path)
    return json.load(member) if member else None


def is_missing(ctr: Ctr, archive: Path) -> bool:
    """Whether a node is_missing any image of an archive, or has another one by its name."""
    return any(_config_of(ctr, image.ref) != image.config for image in content(archive))


def _config_of(ctr: Ctr, ref: str) -> str:
    """The config digest of the image that a node has by this name, or nothing."""
    listed = shell.run([*ctr, "images", "list", f"name=={ref}"]).stdout.splitlines()[1:]
    if not listed:
        return ""
    digest = next(word for word in listed[0].split() if word.startswith("sha256:"))
    manifest = json.loads(shell.run([*ctr, "content", "get", digest]).stdout)
    return str(manifest.get("config", {}).get("digest", ""))
