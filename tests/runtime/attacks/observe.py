"""What an attack does to a server: its users, its processes, their memory, its files."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from runtime.attacks.wire import JSON, SEARCH, ask, http
from runtime.server import Server

MIB = 1 << 20
# A user waits this long at most while an attack runs; a server that is held up answers never.
SECONDS = 2.0
HELD_UP = 15.0


def slack() -> float:
    """How many times longer everything takes on this machine now, because of what else runs on it."""
    return min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def none_fails(case: Callable[[str], str], cases: Iterable[str], at_once: int = 16) -> None:
    """Run all cases and show all that are wrong. Each may have to wait until the server gives up."""
    names = list(cases)
    with ThreadPoolExecutor(at_once) as pool:
        found = zip(names, pool.map(case, names), strict=True)
        wrong = [f"{name}: {words}" for name, words in found if words]
    assert not wrong, f"{len(wrong)} of {len(names)}:\n" + "\n".join(wrong)


def served(server: Server, account: tuple[str, str] | None = None, rounds: int = 3) -> list[str]:
    """What is wrong with the answers to users and to probes, asked together on connections of their own."""
    small = http("POST", SEARCH, b'{"max_results": 1}', JSON, account=account)
    questions = {
        "GET /version": http("GET", "/version", account=account),
        "POST search": small,
        "GET /health": http("GET", "/health", headers={"Connection": "close"}),
    }
    with ThreadPoolExecutor(3) as pool:
        took = dict(
            zip(questions, pool.map(lambda q: _times(server, q, rounds), questions.values()), strict=True)
        )
    wrong = []
    for name, times in took.items():
        if isinstance(times, str):
            wrong.append(f"{name}: {times}")
        elif median(times) > SECONDS * slack():
            wrong.append(f"{name}: {median(times):.1f} s")
    return wrong


def _times(server: Server, question: bytes, rounds: int) -> list[float] | str:
    found = []
    for _ in range(rounds):
        began = time.monotonic()
        try:
            answer = ask(server, question, timeout=HELD_UP * slack())
        except OSError as error:
            return f"{error!r} after {time.monotonic() - began:.1f} s"
        if answer is None or answer.status != 200:
            return f"{answer and answer.status}"
        found.append(time.monotonic() - began)
    return found


def family(server: Server) -> list[int]:
    """The server's process and all that it started, the workers of each launcher among them."""
    found = [server.process.pid]
    for pid in found:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except OSError:
            continue
    return sorted(found)


def resident(server: Server) -> float:
    """MiB that its processes hold: what they share counts once for each."""
    total = 0
    for pid in family(server):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024


def spooled(server: Server) -> float:
    """MiB of files in TMPDIR, removed ones that are still open included; the stores are left out."""
    total = 0
    for file in server.folder.iterdir():
        if file.is_file() and not file.name.startswith(("mlflow.db", "log")):
            total += file.stat().st_size
    for pid in family(server):
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(link.readlink())
                if target.endswith("(deleted)") and str(server.folder) in target:
                    total += link.stat().st_size
            except OSError:
                continue
    return total / MIB


@dataclass
class Growth:
    """The most that was seen, in MiB above what there was before."""

    memory: float = 0
    disk: float = 0


@contextmanager
def growth(server: Server) -> Iterator[Growth]:
    """Watch a server's memory and TMPDIR while the block runs."""
    memory, disk, seen, done = resident(server), spooled(server), Growth(), threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            seen.memory = max(seen.memory, resident(server) - memory)
            seen.disk = max(seen.disk, spooled(server) - disk)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
