"""OCI image archives: what `ctr images import` and `kind load` read."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def write(file: Path, ref: str, manifest: bytes, blobs: Iterable[bytes], media_type: str = MANIFEST) -> None:
    """Write an archive that calls the image of this manifest `ref`. The same input gives the same bytes."""
    names = {"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref.rpartition(":")[2]}
    entry = {**descriptor(media_type, manifest), "annotations": names}
    with tarfile.open(file, "w") as tar:
        add(tar, "oci-layout", as_json({"imageLayoutVersion": "1.0.0"}))
        add(tar, "index.json", as_json({"schemaVersion": 2, "manifests": [entry]}))
        for blob in (manifest, *blobs):
            add(tar, f"blobs/sha256/{digest(blob)[7:]}", blob)


def add(tar: tarfile.TarFile, path: str, data: bytes, mode: int = 0o644) -> None:
    """Add a file. It belongs to root and its date is 1970."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    """How a manifest refers to a blob."""
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def digest(data: bytes) -> str:
    """The name of a blob."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def as_json(data: object) -> bytes:
    """Data as a blob."""
    return json.dumps(data).encode()
