"""Tests of all keys, versions or hostile values, for all of which `make check` has no time."""

from collections.abc import Iterable
from typing import Any

import pytest


def sweep(cases: Iterable[Any], keep: int, share: int = 1) -> list[Any]:
    """All cases for a parametrized test. Every `keep`-th, the first too, is also in `make check`.

    Of the others every `share`-th is in `make test`, and the rest in `make nightly` only.
    """
    return [
        case if number % keep == 0 else pytest.param(case, marks=_marks(number % share == 0))
        for number, case in enumerate(cases)
    ]


def _marks(in_test: bool) -> list[pytest.MarkDecorator]:
    return [pytest.mark.sweep] if in_test else [pytest.mark.sweep, pytest.mark.nightly]
