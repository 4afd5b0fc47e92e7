"""Figures of control groups, of both versions."""

import pytest

from benchmarks.cluster.usage import anonymous_bytes, cpu_milliseconds


@pytest.mark.parametrize("said", ["2500000\n", "usage_usec 2500\nuser_usec 2000\nsystem_usec 500\n"])
def test_cpu_time(said: str) -> None:
    assert cpu_milliseconds(said) == 2.5


@pytest.mark.parametrize("said", ["cache 7\nrss 1\ntotal_cache 7\ntotal_rss 4096\n", "anon 4096\nfile 7\n"])
def test_memory_without_the_page_cache(said: str) -> None:
    assert anonymous_bytes(said) == 4096
