"""Drives one case: a short slice for each peer in turn, so that a busy minute meets all of them."""

import base64
import itertools
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.cases.case import NUMBER, Case, Request
from benchmarks.cluster.release import Release
from benchmarks.cluster.usage import Usage
from benchmarks.generator.wrk import TIMEOUT_SECONDS, drive, write_requests
from benchmarks.peers.objects import ACCOUNT
from benchmarks.record import Record

PER_SLICE = 10**9
LONGER = 5
WARM_CLIENTS, WARM_SECONDS = 16, 5
LEFT_MS = 300
IDLE_AT_MOST, IDLE_SECONDS, IDLE_SHARE = 15, 0.3, 0.2
_slices = itertools.count(1)


class Refused(Exception):
    """A server did not answer the first request of a case with 200."""


def run_case(
    case: Case, clients: int, releases: Iterable[Release], database: Usage, record: Record, rounds: int
) -> None:
    """Measure one case with so many clients, and add a slice per round and peer to the record."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests"
        requests = case.requests()
        write_requests(file, requests)
        ready = [each for each in releases if _answers(each, case, requests[0], record)]
        for number in range(rounds):
            for release in ready:
                try:
                    found = _slice(case, clients, release, database, file)
                except Exception as error:
                    record.failed(f"{case.name}, {clients} clients, {release.peer.name}", error)
                    continue
                record.data["slices"].append(found | {"round": number + 1})
                record.say(_line(found))
    record.write()


def warm(release: Release) -> None:
    """Send requests for some seconds and forget the figures: a worker's first request takes long."""
    case = CASES[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests"
        write_requests(file, case.requests())
        drive(release.url, file, WARM_CLIENTS, WARM_SECONDS, 0, _headers(case, release))


def _slice(case: Case, clients: int, release: Release, database: Usage, file: Path) -> dict[str, Any]:
    headers = _headers(case, release)
    before = release.server.cpu_ms(), database.cpu_ms()
    found = drive(release.url, file, clients, case.seconds, next(_slices) * PER_SLICE, headers)
    if not found["requests"]:  # a slice shorter than one request says nothing
        before = release.server.cpu_ms(), database.cpu_ms()
        found = drive(release.url, file, clients, LONGER * case.seconds, next(_slices) * PER_SLICE, headers)
    server, postgres = release.server.cpu_ms() - before[0], database.cpu_ms() - before[1]
    requests = max(found["requests"], 1)
    if clients * (server + postgres) / requests > LEFT_MS:
        _wait_idle(release.server)
    return {
        "case": case.name,
        "group": case.group,
        "runs": case.runs,
        "units": case.units,
        "clients": clients,
        "peer": release.peer.name,
        **found,
        "server_cpu_ms": round(server / requests, 3),
        "database_cpu_ms": round(postgres / requests, 3),
    }


def _wait_idle(server: Usage) -> None:
    """Wait until a server has answered the requests that a slice left: the next peer needs the processors."""
    end = time.monotonic() + IDLE_AT_MOST
    before = server.cpu_ms()
    while time.monotonic() < end:
        time.sleep(IDLE_SECONDS)
        now = server.cpu_ms()
        if now - before < IDLE_SHARE * IDLE_SECONDS * 1000:
            return
        before = now


def _line(found: dict[str, Any]) -> str:
    rate = found["requests"] / found["seconds"]
    return (
        f"{found['case']}, {found['runs']:,} runs, {found['clients']} clients, {found['peer']}: "
        f"{rate:.1f}/s, p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms, {found['errors']} errors"
    )


def _answers(release: Release, case: Case, request: Request, record: Record) -> bool:
    """Send one request, which also warms the caches, and a second one after an error; note a second error."""
    for last in (False, True):
        try:
            send(release.url, request, _headers(case, release))
        except Exception as error:
            if last:
                record.failed(f"{case.name}, {release.peer.name}", error)
        else:
            return True
    return False


def send(url: str, request: Request, headers: dict[str, str]) -> bytes:
    """Return the body of one answer.

    Raises:
        Refused: The answer is not 200.
    """
    body = request.body.replace(NUMBER.encode(), b"%016d" % (next(_slices) * PER_SLICE))
    asked = urllib.request.Request(
        url + request.path, body if request.method == "POST" else None, headers, method=request.method
    )
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:
            text: bytes = answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(f"{error.code} {error.read(300)!r}") from error
    return text


def _headers(case: Case, release: Release) -> dict[str, str]:
    if not release.peer.login:
        return case.headers
    account = f"{ACCOUNT['username']}:{ACCOUNT['password']}"
    return case.headers | {"Authorization": f"Basic {base64.b64encode(account.encode()).decode()}"}
