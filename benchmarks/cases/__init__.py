"""The calls that are measured."""

from benchmarks.cases import big_searches, indexed, login, pythons, reads, spans, writes
from benchmarks.cases.case import Case

CASES: tuple[Case, ...] = (
    *writes.CASES,
    *reads.CASES,
    *big_searches.CASES,
    *spans.CASES,
    *login.CASES,
    *indexed.CASES,
    *pythons.CASES,
)
