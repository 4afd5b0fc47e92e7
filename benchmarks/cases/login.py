"""Calls with basic-auth, by one client."""

from benchmarks.cases.case import Case
from benchmarks.cases.writes import _get_run

CASES = (Case("get run with basic-auth", "login", _get_run, {1: "login"}, seconds=4),)
