"""Prints the report of a health check as a table or as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from mlflowops import console
from mlflowops.console import clean
from mlflowops.health.check import Check

STATUS_STYLES = {
    "ok": ("ok", "green"),
    "warn": ("warn", "yellow"),
    "red": ("RED", "bold red"),
    "unknown": ("?", "yellow"),
}


def table(checks: Sequence[Check]) -> None:
    """Print a table with one row per check, and the advice of each failed one."""
    rows: list[list[str | Text]] = [
        [
            Text(*STATUS_STYLES[check.status]),
            check.name,
            Text(clean(check.detail)).append(clean(f"\n→ {check.fix}") if check.fix else "", "bold"),
        ]
        for check in checks
    ]
    console.table(["", "check", "what"], rows)


def json(checks: Sequence[Check], where: dict[str, str | None]) -> None:
    """Print one JSON object: `ok` for all, and every check with its `status`."""
    ok = all(check.status != "red" for check in checks)
    console.as_json({**where, "ok": ok, "checks": [asdict(check) for check in checks]})
