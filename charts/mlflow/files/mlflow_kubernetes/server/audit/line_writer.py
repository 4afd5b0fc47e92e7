"""Writes lines from a thread of its own, so that no request waits for a full pipe or disk."""

import atexit
import os
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue

from mlflow_kubernetes.server.audit.lost_lines import LostLines

# Lines that may wait; more are lost. They take less than 4 KiB each.
MAX_WAITING = 10_000
# Seconds between two looks whether the file was renamed, and for the last lines when the process ends.
LOOK_SECONDS, LAST_SECONDS = 1.0, 2.0


class LineWriter:
    """The end of the log.

    Args:
        path: A file to append to. Empty means stdout.
        lost: Counts the lines that could not be written.
    """

    def __init__(self, path: str, lost: LostLines) -> None:
        self.path, self.lost = path, lost
        self.queue: SimpleQueue[str | None] = SimpleQueue()
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()
        self.file = -1
        self.looked = 0.0
        self.torn = False  # the last line has no end

    def write(self, line: str) -> None:
        """Write a line soon. It never waits and never fails."""
        if self.thread is None:
            self._start()
        if self.queue.qsize() >= MAX_WAITING:
            self.lost.count(f"{MAX_WAITING} lines wait")
        else:
            self.queue.put(line)

    def _start(self) -> None:
        """Start the thread at the first line: threads do not survive the fork."""
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self.thread.start()
                atexit.register(self._end)

    def _end(self) -> None:
        self.queue.put(None)
        if self.thread:
            self.thread.join(LAST_SECONDS)

    def _run(self) -> None:
        while (line := self.queue.get()) is not None:
            try:
                self._append(line)
            except Exception as error:  # the thread must go on
                self._close()
                self.lost.count(str(error))
            self.lost.warn()

    def _append(self, line: str) -> None:
        """Write one line by one call, which other processes cannot interrupt: a pipe takes 4 KiB at once."""
        file = self._open() if self.path else sys.__stdout__.fileno() if sys.__stdout__ else 1
        data = (f"\n{line}\n" if self.torn else f"{line}\n").encode("ascii")
        self.torn = True
        written = os.write(file, data)
        while written < len(data):
            written += os.write(file, data[written:])
        self.torn = False

    def _open(self) -> int:
        """Return the file, opened again if another program has renamed or removed it."""
        now = time.monotonic()
        if self.file >= 0 and now - self.looked > LOOK_SECONDS and not self._is_same():
            self._close()
        if self.file < 0:
            self.file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            self.looked, self.torn = now, False
        return self.file

    def _is_same(self) -> bool:
        self.looked = time.monotonic()
        try:
            return os.path.samestat(Path(self.path).stat(), os.fstat(self.file))
        except FileNotFoundError:
            return False

    def _close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
        self.file = -1
