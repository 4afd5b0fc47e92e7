"""Metrics: which values are numbers, and whether lower is better."""

import math
import sys
from collections.abc import Iterable
from typing import Any

# A name is split at every character that is not a letter or digit: test_rmse and cv/log_loss are found too.
LOWER_IS_BETTER = frozenset(
    {
        "rmse",
        "mse",
        "mae",
        "mape",
        "rmsle",
        "loss",
        "logloss",
        "brier",
        "error",
        "latency",
        "duration",
        "cost",
    }
)


def is_number(value: Any) -> bool:
    """Return whether a value can be logged and compared. NaN, infinity and booleans are not numbers here."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    # MLflow's database stores infinity as the largest float.
    return math.isfinite(value) and abs(value) < sys.float_info.max


def lower_is_better(name: str, named: Iterable[str] = ()) -> bool:
    """Return whether lower is better for a metric: `named` has it, or LOWER_IS_BETTER one of its words."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return name in set(named) or not LOWER_IS_BETTER.isdisjoint(words)
