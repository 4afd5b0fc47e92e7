"""Container images of one static binary, made without any container tool."""

import io
import platform
import tarfile
from pathlib import Path

from testbed import locks, paths, tools
from testbed.archives import oci

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NOBODY = 65532


def archive(tool: str, ref: str) -> Path:
    """The archive of an image `ref` that holds a pinned tool and starts it; written once per binary."""
    binary = tools.ensure(tool).resolve().read_bytes()
    inputs = oci.digest(binary + ref.encode() + Path(__file__).read_bytes())
    file = paths.cache("images", "addons") / f"{tool}-{inputs[7:23]}.tar"
    with locks.locked(file.with_suffix(".lock"), f"Waiting for another process that writes {file.name}"):
        if not file.exists():
            partial = file.with_suffix(".partial")
            _write(partial, tool, binary, ref)
            partial.rename(file)
    return file


def _write(file: Path, tool: str, binary: bytes, ref: str) -> None:
    layer = _layer(tool, binary)
    config = oci.as_json(
        {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": [f"/bin/{tool}"], "User": f"{NOBODY}:{NOBODY}"},
            "rootfs": {"type": "layers", "diff_ids": [oci.digest(layer)]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": oci.descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [oci.descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    oci.write(file, ref, oci.as_json(manifest), [config, layer])


def _layer(tool: str, binary: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for folder, mode in {"bin": 0o755, "etc": 0o755, "tmp": 0o1777}.items():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        oci.add(tar, f"bin/{tool}", binary, mode=0o755)
    return sink.getvalue()
