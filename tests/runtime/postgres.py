"""A real PostgreSQL on a loopback port, for as long as a test session."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from runtime.network import free_port, wait_until
from testbed import tools


def not_root(folder: Path) -> dict[str, Any]:
    """For `Popen`, where we are root and the program refuses to be: another user, who owns the folder."""
    if os.getuid() != 0:
        return {}
    who = pwd.getpwnam("nobody")
    os.chown(folder, who.pw_uid, who.pw_gid)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


class Postgres:
    """Its superuser is `postgres`; every password is really checked (SCRAM)."""

    def __init__(self) -> None:
        self.bin = tools.ensure("postgres").resolve().parent
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.user = not_root(self.folder)
        self._initialise()

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text("postgres")
        password.chmod(0o644)
        options = ["-A", "scram-sha-256", "-U", "postgres", "--pwfile", str(password), "--no-sync"]
        command = [str(self.bin / "initdb"), "-D", str(self.folder / "data"), *options, "--locale", "C.UTF-8"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self.user)

    def start(self) -> "Postgres":
        """Start it and wait until it answers."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 200,
        }
        command = [str(self.bin / "postgres"), "-D", str(self.folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self.user)
        wait_until("PostgreSQL", self._answers)
        return self

    def _answers(self) -> bool:
        try:
            self.query("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, breaking every connection: fast, or by SIGQUIT immediately, as in a crash."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    def connect(self, database: str = "postgres") -> Any:
        """Open a connection of the superuser."""
        where = {"host": "127.0.0.1", "port": self.port, "user": "postgres", "password": "postgres"}
        return psycopg2.connect(dbname=database, **where)

    def query(self, statement: Any, database: str = "postgres", values: Any = None) -> list[Any]:
        """Run one statement as the superuser and return its rows."""
        connection = self.connect(database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def database(self, name: str, password: str) -> dict[str, str]:
        """Make a database that a role of the same name owns; return libpq's variables for it."""
        role = sql.Identifier(name)
        create_role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password))
        self.query(create_role)
        self.query(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        return {
            "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": name,
            "PGPASSWORD": password,
            "PGDATABASE": name,
        }

    def copy(self, original: dict[str, str], name: str) -> dict[str, str]:
        """Copy a database without connections; the same role owns it."""
        parts = [sql.Identifier(each) for each in (name, original["PGDATABASE"], original["PGUSER"])]
        self.query(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*parts))
        return original | {"PGDATABASE": name}
