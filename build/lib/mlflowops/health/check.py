"""What a check answers."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One line of the report. What is not `ok` says in `fix` what to do."""

    name: str
    status: Literal["ok", "warn", "red", "unknown"]
    detail: str
    fix: str = ""


def green(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name, "ok", detail)


def yellow(name: str, detail: str, fix: str) -> Check:
    """All works, and will not for long."""
    return Check(name, "warn", detail, fix)


def red(name: str, detail: str, fix: str) -> Check:
    """Something is wrong."""
    return Check(name, "red", detail, fix)


def unknown(name: str, detail: str, fix: str) -> Check:
    """Nobody could look, which is no illness of the server."""
    return Check(name, "unknown", detail, fix)
