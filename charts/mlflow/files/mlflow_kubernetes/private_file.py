"""A file that its owner alone may read."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace the file at once for all readers."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
