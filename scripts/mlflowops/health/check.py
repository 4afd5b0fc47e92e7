"""The result of a check."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """The result of one check, a line of the report.

    Attributes:
        name: Name of the check.
        status: `ok`, `warn`, `red`, or `unknown` if it could not be checked.
        detail: What was found.
        fix: What to do if the status is not `ok`.
    """

    name: str
    status: Literal["ok", "warn", "red", "unknown"]
    detail: str
    fix: str = ""


def green(name: str, detail: str) -> Check:
    """Return a check that passed."""
    return Check(name, "ok", detail)


def yellow(name: str, detail: str, fix: str) -> Check:
    """Return a check that passed, with a warning."""
    return Check(name, "warn", detail, fix)


def red(name: str, detail: str, fix: str) -> Check:
    """Return a check that failed."""
    return Check(name, "red", detail, fix)


def unknown(name: str, detail: str, fix: str) -> Check:
    """Return a check that could not be made."""
    return Check(name, "unknown", detail, fix)
