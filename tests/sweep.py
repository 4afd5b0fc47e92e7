"""Tests of all keys, versions or hostile values, for all of which `make check` has no time."""

from collections.abc import Iterable
from typing import Any

import pytest


def sweep(cases: Iterable[Any], keep: int) -> list[Any]:
    """All cases for a parametrized test. Every `keep`-th, the first too, is also in `make check`."""
    return [
        case if number % keep == 0 else pytest.param(case, marks=pytest.mark.sweep)
        for number, case in enumerate(cases)
    ]
