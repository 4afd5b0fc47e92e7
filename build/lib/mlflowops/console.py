"""What the user sees: progress on stderr, results on stdout, colours only on a terminal."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

out = Console()
err = Console(stderr=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show that something slow runs, then how long it took."""
    start = time.monotonic()
    if not err.is_terminal:
        err.print(f"… {what}", highlight=False)
    with err.status(what):
        yield
    err.print(f"✓ {what} ({time.monotonic() - start:.1f} s)", highlight=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print rows on stdout as a table. Cells may hold rich markup."""
    view = Table(*columns, title=title or None, title_justify="left")
    for row in rows:
        view.add_row(*row)
    out.print(view)


def as_json(data: Any) -> None:
    """Print data on stdout as JSON, for machines."""
    print(json.dumps(data, indent=2, default=str))
