"""A hot standby of a PostgreSQL, by streaming replication."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import sql

from runtime.network import wait_until
from runtime.postgres import Postgres


class Standby(Postgres):
    """Its data are a base backup; it follows the primary from there."""

    def __init__(self, primary: Postgres) -> None:
        self.primary = primary
        super().__init__()

    def _initialise(self) -> None:
        source = ["-h", "127.0.0.1", "-p", str(self.primary.port), "-U", "postgres"]
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        command = [str(self.bin / "pg_basebackup"), *source, *options, "-D", str(self.folder / "data")]
        env = {**os.environ, "PGPASSWORD": "postgres"}
        subprocess.run(command, check=True, capture_output=True, cwd="/", env=env, **self.user)

    def pause(self) -> None:
        """Stop replaying; WAL still arrives."""
        self.query("SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state()"
        wait_until("a pause", lambda: self.query(state) == [("paused",)])

    def resume(self) -> None:
        """Replay what has arrived, and wait until all of it is there."""
        self.query("SELECT pg_wal_replay_resume()")
        self.catch_up()

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Receive no WAL meanwhile."""
        [(source,)] = self.query("SHOW primary_conninfo")
        self._follow("")
        yield
        self._follow(source)
        self.catch_up()

    def _follow(self, source: str) -> None:
        self.query(sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(sql.Literal(source)))
        self.query("SELECT pg_reload_conf()")
        receivers = [(1,)] if source else [(0,)]
        wait_until(
            "the receiver", lambda: self.query("SELECT count(*) FROM pg_stat_wal_receiver") == receivers
        )

    def catch_up(self) -> None:
        """Wait for what the primary has written until now."""
        [(position,)] = self.primary.query("SELECT pg_current_wal_lsn()")
        replayed = "SELECT pg_last_wal_replay_lsn() >= %s"
        wait_until("the replay", lambda: self.query(replayed, values=[position]) == [(True,)])
