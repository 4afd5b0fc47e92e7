"""The PostgreSQL image: the official image's interface, any password, and nothing lost."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from images.container import Container, Pod, Runner
from testbed.images import Image

NASTY = "p@ss:w/rd#%&? +'\"\\é$(x)`id`"
LONG = "Ab1!" * 32
DATA = "/var/lib/postgresql/data"


class Postgres:
    """Starts PostgreSQL on one volume and port, and asks it."""

    def __init__(self, start: Callable[[dict[str, str]], Container], port: int) -> None:
        self.start = start
        self._port = port

    def connect(self, password: str, user: str = "mlflow", database: str = "mlflow") -> Any:
        """Open a connection from the host."""
        place = {"host": "127.0.0.1", "port": self._port}
        return psycopg2.connect(user=user, password=password, dbname=database, **place)

    def ask(self, password: str, sql: str, **who: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        connection = self.connect(password, **who)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows


@pytest.fixture
def postgres(runner: Runner, built: dict[str, Image], volume: Path, port: int) -> Postgres:
    def start(env: dict[str, str]) -> Container:
        args = ["-c", f"port={port}"]
        return runner.start(Pod(built["postgres"], args=args, env=env, volumes={volume: DATA}))

    return Postgres(start, port)


@pytest.mark.parametrize("password", [NASTY, LONG], ids=["nasty", "long"])
def test_any_password_is_taken_and_no_other(postgres: Postgres, password: str) -> None:
    with postgres.start({"POSTGRES_USER": "mlflow", "POSTGRES_PASSWORD": password}) as server:
        assert server.until(lambda: postgres.ask(password, "select 1")) == [(1,)]
        for wrong in (password[:-1], ""):
            with pytest.raises(psycopg2.OperationalError):
                postgres.ask(wrong, "select 1")
        assert password not in server.log


def test_the_password_may_be_a_file_and_names_may_be_anything(postgres: Postgres, volume: Path) -> None:
    (volume / "secret").write_text(f"{NASTY}\n")
    who = {"user": "ml; `x` é", "database": 'ml"flow; $(x)'}
    env = {"POSTGRES_USER": who["user"], "POSTGRES_DB": who["database"]}
    with postgres.start({**env, "POSTGRES_PASSWORD_FILE": f"{DATA}/secret"}) as server:
        sql = "select current_database(), current_setting('server_encoding')"
        assert server.until(lambda: postgres.ask(NASTY, sql, **who)) == [(who["database"], "UTF8")]


def test_data_outlives_a_stop_by_sigint_under_a_connected_client(postgres: Postgres) -> None:
    env = {"POSTGRES_USER": "mlflow", "POSTGRES_PASSWORD": NASTY}
    with postgres.start(env) as server:
        server.until(lambda: postgres.ask(NASTY, "create table kept as select 42 as answer"))
        connected = postgres.connect(NASTY)
        server.signal(signal.SIGINT)
        assert server.wait(20) == 0
        connected.close()
    with postgres.start(env) as server:
        assert server.until(lambda: postgres.ask(NASTY, "select answer from kept")) == [(42,)]


def test_a_first_start_that_was_cut_off_is_repeated(postgres: Postgres, volume: Path) -> None:
    (volume / "pgdata.partial" / "base").mkdir(parents=True)
    (volume / "lost+found").mkdir()  # as a fresh ext4 volume has it
    subprocess.run(["chown", "-R", "999:999", volume / "pgdata.partial"], check=True)
    with postgres.start({"POSTGRES_USER": "mlflow", "POSTGRES_PASSWORD": "x"}) as server:
        assert server.until(lambda: postgres.ask("x", "show data_checksums")) == [("on",)]


@pytest.mark.parametrize(
    ("mode", "env", "sentence"),
    [
        (0o777, {}, "postgres: POSTGRES_PASSWORD: is empty; set it, or POSTGRES_PASSWORD_FILE"),
        (0o777, {"POSTGRES_PASSWORD": "secret", "POSTGRES_USER": 'a"b'}, "POSTGRES_USER: has one of"),
        (0o777, {"POSTGRES_PASSWORD": "secret", "POSTGRES_USER": "a\\b"}, "choose a name without them."),
        (0o755, {"POSTGRES_PASSWORD": "secret"}, "is not writable for uid 999; set fsGroup"),
    ],
    ids=["password", "quote", "backslash", "volume"],
)
def test_what_is_missing_is_said(
    postgres: Postgres, volume: Path, mode: int, env: dict[str, str], sentence: str
) -> None:
    volume.chmod(mode)
    with postgres.start(env) as server:
        assert server.wait(20) == 1
        assert sentence in server.log
        assert env.get("POSTGRES_PASSWORD", "secret") not in server.log
