"""The report of a health check, for people and for machines."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.markup import escape

from mlflowops import console
from mlflowops.health.check import Check

MARKS = {
    "ok": "[green]ok[/]",
    "warn": "[yellow]warn[/]",
    "red": "[bold red]RED[/]",
    "unknown": "[yellow]?[/]",
}


def table(checks: Sequence[Check]) -> None:
    """One line per check; what is not well says what to do."""
    rows = [
        [
            MARKS[check.status],
            check.name,
            escape(check.detail) + (f"\n[bold]→ {escape(check.fix)}[/]" if check.fix else ""),
        ]
        for check in checks
    ]
    console.table(["", "check", "what"], rows)


def json(checks: Sequence[Check], where: dict[str, str | None]) -> None:
    """The same as one JSON object: `ok` for all, and every check with its `status`."""
    ok = all(check.status != "red" for check in checks)
    console.as_json({**where, "ok": ok, "checks": [asdict(check) for check in checks]})
