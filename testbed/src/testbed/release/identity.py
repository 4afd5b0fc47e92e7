"""What says which thing a document is about."""

import hashlib
import uuid
from pathlib import Path

# Of the names that follow from a digest (RFC 9562, version 5).
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:mlflow-kubernetes:release")


def serial_number(digest: str) -> uuid.UUID:
    """Return the serial number of the list of a thing with this digest: always the same one."""
    return uuid.uuid5(SPACE, digest)


def sha256(file: Path) -> str:
    """Return the digest of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
