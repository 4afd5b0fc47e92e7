"""An image under the name that a registry would give it."""

import io
import json
import tarfile
from pathlib import Path

from testbed.images import Image


def renamed(image: Image, ref: str, folder: Path) -> Path:
    """A copy of an image's archive in which it is called `ref`; a node shares the layers of both."""
    copy = folder / f"{image.name}.tar"
    with tarfile.open(image.archive) as source, tarfile.open(copy, "w") as target:
        for member in source:
            content = source.extractfile(member)
            if content and member.name == "manifest.json":
                [manifest] = json.load(content)
                text = json.dumps([{**manifest, "RepoTags": [ref]}]).encode()
                member.size, content = len(text), io.BytesIO(text)
            if content and member.name != "repositories":  # a second list of names, for old programs
                target.addfile(member, content)
            elif not content:
                target.addfile(member)
    return copy
