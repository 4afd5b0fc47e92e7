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
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
