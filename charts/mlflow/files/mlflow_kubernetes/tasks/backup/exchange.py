"""The folder that backup and restore share with the container of PostgreSQL's programs (postgres.sh)."""

import os
import re
import shlex
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from mlflow_kubernetes.stores.token_file import token_as_password
from mlflow_kubernetes.tasks.task import TaskError

# Seconds for the other container to be pulled and to start, and to say how it ended.
START, END = 300, 60


def libpq_settings(env: Mapping[str, str]) -> str:
    """Return how this container opens the database, wherever that came from, as commands of a shell.

    A variable of `mlflow.envFrom` may have any name that a key of a ConfigMap has: only those of libpq's form
    are passed on, so that a name never runs as a command.
    """
    env = token_as_password(env)
    names = [name for name in sorted(env) if re.fullmatch("PG[A-Z_]+", name)]
    return "".join(f"export {name}={shlex.quote(env[name])}\n" for name in names)


class Exchange:
    """Within the block orders are given; after it the other container has nothing to wait for."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.pipe = self.folder / "data"

    def __enter__(self) -> "Exchange":
        for left in self.folder.iterdir():  # by a migration that was killed; Kubernetes starts it again
            left.unlink()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self.folder / "end").touch()

    def dump(self, snapshot: str) -> "Dump":
        """Order a dump of what that snapshot shows."""
        self._order("dump", {"snapshot": snapshot})
        return Dump(self)

    def contents(self, chunks: Iterable[bytes]) -> str:
        """Return what is in a dump, as `pg_restore --list` has it; the dump is read to its end."""
        self._feed("contents", chunks, {})
        return (self.folder / "toc").read_text(errors="replace")

    def restore(self, chunks: Iterable[bytes], files: Mapping[str, str]) -> None:
        """Order a restore, and feed it."""
        self._feed("restore", chunks, files)

    def _feed(self, order: str, chunks: Iterable[bytes], files: Mapping[str, str]) -> None:
        self._order(order, files)
        try:
            with self.pipe.open("wb") as pipe:
                for chunk in chunks:
                    pipe.write(chunk)
        except BrokenPipeError:
            pass  # what stopped the reader is in its status
        self.check()

    def check(self) -> None:
        """Raise unless the other container was successful."""
        code = (
            self._wait_for("status", END, "ended without a status; was it out of memory?").read_text().strip()
        )
        if code != "0":
            raise TaskError(f"PostgreSQL's program failed ({code}); the log of container postgres says why.")

    def _order(self, name: str, files: Mapping[str, str]) -> None:
        settings = self.folder / "settings"
        # What an order before has left.
        for left in (self.pipe, settings, self.folder / "started", self.folder / "status"):
            left.unlink(missing_ok=True)
        for pipe in (self.pipe, settings):
            os.mkfifo(pipe, 0o600)
        for file, text in files.items():
            (self.folder / file).write_text(text)
        new = self.folder / "order.new"
        new.write_text(name)
        new.rename(self.folder / "order")
        self._wait_for("started", START, "does not start; can its image (backup.image) be pulled?")
        settings.write_text(libpq_settings(os.environ))

    def _wait_for(self, name: str, seconds: float, wrong: str) -> Path:
        file, deadline = self.folder / name, time.monotonic() + seconds
        while not file.exists():
            if time.monotonic() > deadline:
                raise TaskError(f"container postgres {wrong}")
            time.sleep(0.1)
        return file


class Dump:
    """A dump that is being made, to be read once; its end is an error unless pg_dump was successful."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.file = exchange.pipe.open("rb")

    def seekable(self) -> bool:
        """No: it is nowhere as a whole."""
        return False

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""
        data = self.file.read(size)
        if size < 0 or len(data) < size:
            self.exchange.check()
        return data
