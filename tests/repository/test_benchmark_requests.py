"""Every case of the benchmark makes its requests."""

import json

import pytest

from benchmarks.cases import CASES
from benchmarks.cases.case import NUMBER, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}, {case.name}, {case.runs} runs")
def test_every_case_makes_its_requests(case: Case) -> None:
    writes = case.group in ("writes", "spans") or case.name in ("create run", "log batch of 20")
    for request in case.requests():
        assert request.path.startswith("/")
        assert bool(request.body) is (request.method == "POST")
        assert (NUMBER.encode() in request.body) is (writes and request.method == "POST")
        if request.body and case.headers["Content-Type"] == "application/json":
            json.loads(request.body.replace(NUMBER.encode(), b"0" * 16))
