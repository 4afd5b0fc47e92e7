"""One large artifact through the server, up and down, and the memory that this takes in its pod."""

import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from benchmarks.cluster.release import Release
from benchmarks.cluster.usage import Usage

BLOCK = 2**20
PATH = "/api/2.0/mlflow-artifacts/artifacts/benchmark/large.bin"
EVERY_SECONDS = 0.5


def transfer(release: Release, mib: int) -> dict[str, Any]:
    """Upload and download a file of so many MiB; return MiB per second and the peak of memory for both."""
    return {
        "mib": mib,
        **_measured("up", release, mib, lambda: _upload(release.url, mib)),
        **_measured("down", release, mib, lambda: _download(release.url, mib)),
    }


def _measured(way: str, release: Release, mib: int, move: Callable[[], None]) -> dict[str, Any]:
    with _Peak(release.server) as peak:
        start = time.monotonic()
        move()
        seconds = time.monotonic() - start
    return {
        f"{way}_mib_per_second": round(mib / seconds, 1),
        f"{way}_memory_mib": round(peak.before),
        f"{way}_peak_mib": round(peak.highest),
    }


class _Peak:
    """Reads the memory of a container again and again; page cache is not counted."""

    def __init__(self, usage: Usage) -> None:
        self._usage, self._end = usage, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "_Peak":
        self.before = self.highest = self._usage.anonymous_mib()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(EVERY_SECONDS):
            self.highest = max(self.highest, self._usage.anonymous_mib())


def _upload(url: str, mib: int) -> None:
    block = os.urandom(BLOCK)
    blocks: Iterator[bytes] = (block for _ in range(mib))
    headers = {"Content-Length": str(mib * BLOCK), "Content-Type": "application/octet-stream"}
    with_body = _connection(url)
    with_body.request("PUT", PATH, body=blocks, headers=headers)
    _read(with_body)


def _download(url: str, mib: int) -> None:
    connection = _connection(url)
    connection.request("GET", PATH)
    received = _read(connection)
    assert received == mib * BLOCK, f"{received} bytes of {mib * BLOCK} arrived"


def _connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)


def _read(connection: http.client.HTTPConnection) -> int:
    answer, received = connection.getresponse(), 0
    while block := answer.read(BLOCK):
        received += len(block)
    connection.close()
    assert answer.status == 200, f"{PATH}: {answer.status}"
    return received
