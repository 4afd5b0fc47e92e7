"""Waits with a deadline; the error has the last log lines of the daemon."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import tenacity
from mlflowops.errors import OpsError

Answer = TypeVar("Answer")


def wait_until(
    ask: Callable[[], Answer | None], seconds: float, what: str, logs: Sequence[Path] = (), every: float = 0.1
) -> Answer:
    """Ask until the answer is neither None nor false, and return it."""
    waiting = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: not answer),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(every),
    )
    try:
        return waiting(ask)  # type: ignore[return-value]
    except tenacity.RetryError:
        wrong = "\n".join([f"not within {seconds:.0f} s", *(_log_tail(log) for log in logs)])
        again = "try again, or start over with `testbed cluster down`"
        raise OpsError(what, wrong, again, exit_code=1) from None


def _log_tail(log: Path, lines: int = 6) -> str:
    text = ""
    with contextlib.suppress(FileNotFoundError):
        text = log.read_text(errors="replace")[-20000:]
    return "\n".join([f"--- {log}", *text.splitlines()[-lines:]])
