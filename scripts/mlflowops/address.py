"""Removes passwords from the addresses in a message."""

import re

_PASSWORD = re.compile(r"(://[^\s/:@]*):[^\s]*@")


def without_password(text: str) -> str:
    """Return the text with `...` for the password of each `scheme://user:password@host`."""
    return _PASSWORD.sub(r"\1:...@", text)
