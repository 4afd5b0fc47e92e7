"""Prints progress on stderr and results on stdout, with colours only on a terminal."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlflowops.address import without_password

MAX_LINES = 20
# Names of runs and what a server says may hold anything: an escape sequence would write to the terminal's
# clipboard or title, a mark of direction would show a text in another order.
_KEPT = "\n\t"
_CONTROL = [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SHOWN = {code: "\N{REPLACEMENT CHARACTER}" for code in _CONTROL if chr(code) not in _KEPT}


class _Console(Console):
    """Prints text unchanged: no markup, emoji codes or control characters. Only `Text` objects have style."""

    def render_str(self, text: str, **how: Any) -> Text:  # type: ignore[override]
        return super().render_str(clean(text), **how)


def clean(text: str) -> str:
    """Return a text without characters that would control a terminal, and without passwords of addresses."""
    return without_password(text).translate(_SHOWN)


out = _Console(markup=False, emoji=False)
err = _Console(markup=False, emoji=False, stderr=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show that something slow runs, then how long it took. A line is never broken: people copy its paths."""
    start = time.monotonic()
    if not err.is_terminal:
        err.print(f"… {what}", highlight=False, soft_wrap=True)
    with err.status(Text(clean(what))):
        yield
    err.print(f"✓ {what} ({time.monotonic() - start:.1f} s)", highlight=False, soft_wrap=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], title: str = "") -> None:
    """Print rows on stdout as a table. A string is printed unchanged; a `Text` may have style."""
    view = Table(*columns, title=clean(title) or None, title_justify="left")
    for row in rows:
        view.add_row(*row)
    out.print(view)


def lines(some: Sequence[str], colour: str) -> None:
    """Print the first lines of many on stdout, and how many more there are."""
    for line in some[:MAX_LINES]:
        out.print(Text(clean(line), colour), soft_wrap=True)
    if len(some) > MAX_LINES:
        out.print(Text(f"and {len(some) - MAX_LINES} more: see --output json", colour))


def as_json(data: Any) -> None:
    """Print data on stdout as JSON, for machines."""
    print(json.dumps(data, indent=2, default=str))
