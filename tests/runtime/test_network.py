"""The ports of the tests' servers: no other program may take one between its choice and its use."""

from pathlib import Path

import pytest

from runtime.network import BESIDE, SHARE, free_port


def test_the_kernel_gives_them_to_no_connection() -> None:
    first, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(free_port() + BESIDE < first for _ in range(SHARE))


def test_no_two_workers_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for worker in ("gw0", "gw1", "gw9"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        shares.append({free_port() for _ in range(SHARE // 2)})
    assert all(len(share) == SHARE // 2 for share in shares)
    assert not shares[0] & shares[1] and not shares[0] & shares[2] and not shares[1] & shares[2]
