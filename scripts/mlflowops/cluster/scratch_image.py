"""Container images of one static binary, written as OCI archives without any container tool."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

from mlflowops import paths, tools

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MEDIA = "application/vnd.oci.image"
NOBODY = 65532


def archive(tool: str, ref: str) -> Path:
    """The archive of an image `ref` that holds a pinned tool and starts it; written once per binary."""
    binary = tools.ensure(tool).resolve()
    content = binary.read_bytes()
    inputs = content + ref.encode() + Path(__file__).read_bytes()
    file = paths.cache("images", "addons") / f"{tool}-{hashlib.sha256(inputs).hexdigest()[:16]}.tar"
    if not file.exists():
        partial = file.with_suffix(".partial")
        with tarfile.open(partial, "w") as tar:
            for path, data in _layout(tool, content, ref).items():
                _add(tar, path, data)
        partial.rename(file)
    return file


def _layout(tool: str, binary: bytes, ref: str) -> dict[str, bytes]:
    """An OCI image layout: path -> content."""
    layer = _layer(tool, binary)
    config = _json(
        {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": [f"/bin/{tool}"], "User": f"{NOBODY}:{NOBODY}"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": _descriptor("config.v1+json", config),
            "layers": [_descriptor("layer.v1.tar", layer)],
        }
    )
    names = {"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref.rpartition(":")[2]}
    index = {
        "schemaVersion": 2,
        "manifests": [{**_descriptor("manifest.v1+json", manifest), "annotations": names}],
    }
    blobs = {f"blobs/sha256/{_digest(each)[7:]}": each for each in (layer, config, manifest)}
    return {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index), **blobs}


def _layer(tool: str, binary: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for folder, mode in {"bin": 0o755, "etc": 0o755, "tmp": 0o1777}.items():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add(tar, f"bin/{tool}", binary, mode=0o755)
    return sink.getvalue()


def _add(tar: tarfile.TarFile, path: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)  # its time is 0, so that the same binary gives the same image
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def _descriptor(kind: str, data: bytes) -> dict[str, object]:
    return {"mediaType": f"{MEDIA}.{kind}", "digest": _digest(data), "size": len(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(data: object) -> bytes:
    return json.dumps(data).encode()
