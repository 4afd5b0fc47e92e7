"""Waits for a change in the cluster."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(check: Callable[[], Result], seconds: float = math.inf, interval: float = 1) -> Result:
    """Repeat a check until its result is true or the time is over.

    Args:
        check: Reads the state; called at least once.
        seconds: How long to wait.
        interval: Seconds between two calls.

    Returns:
        The last result of the check.
    """
    deadline = time.monotonic() + seconds
    while not (result := check()):
        if time.monotonic() > deadline:
            break
        time.sleep(interval)
    return result
