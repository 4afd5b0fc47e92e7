"""A real MariaDB on this machine, for as long as a test needs it."""

import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql

from runtime.network import free_port, wait_until
from runtime.postgres import not_root
from testbed import tools

# What `mariadb-install-db` feeds to the server; that script itself is useless without the clients' package.
SYSTEM = [f"/usr/share/mysql/mysql_{name}.sql" for name in ("system_tables", "system_tables_data")]
# Every ASCII character that has broken something. PyMySQL would send others in Latin-1, so they are refused.
PASSWORD = "p@ss:w/rd#%&? +'\"\\$(x)"
ROOT = "GRANT ALL ON *.* TO tester@'%' IDENTIFIED BY 'mariadb' WITH GRANT OPTION;"


def silent(text: str) -> bool:
    """No word of the password, however it is written."""
    return PASSWORD not in text and quote(PASSWORD, safe="") not in text


class MariaDB:
    """Its superuser is `tester`; every password is really checked."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.program = tools.ensure("mariadbd")
        self.folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
        self.port = free_port()
        user = not_root(self.folder)
        self._initialise(user)
        self.process = self._start(user)
        wait_until("MariaDB", self._answers)

    def _command(self, *more: str) -> list[str]:
        where = {"datadir": "data", "socket": "socket", "pid-file": "pid", "tmpdir": "."}
        paths = [f"--{name}={self.folder / path}" for name, path in where.items()]
        fast = [
            "--innodb-flush-method=nosync",
            "--innodb-use-native-aio=OFF",
            "--skip-sync-frm",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            "--skip-name-resolve",
        ]
        return [str(self.program), "--no-defaults", *paths, *fast, *more]

    def _initialise(self, user: dict[str, Any]) -> None:
        data = self.folder / "data"
        data.mkdir()
        not_root(data)
        tables = "".join(Path(each).read_text() for each in SYSTEM)
        words = f"CREATE DATABASE mysql;\nUSE mysql;\n{tables}\nFLUSH PRIVILEGES;\n{ROOT}\n"
        command = self._command("--bootstrap")
        subprocess.run(
            command, input=words, text=True, check=True, capture_output=True, cwd=self.folder, **user
        )

    def _start(self, user: dict[str, Any]) -> subprocess.Popen[bytes]:
        command = self._command(
            f"--port={self.port}", f"--bind-address={self.address}", "--max-connections=200"
        )
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **user)

    def _answers(self) -> bool:
        try:
            self.query("SELECT 1")
        except pymysql.OperationalError:
            return False
        return True

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.process.kill()
        self.process.wait(60)
        shutil.rmtree(self.folder)

    def query(self, statement: str, database: str | None = None, values: Any = None) -> list[Any]:
        """Run one statement as the superuser and return its rows."""
        where = {"host": self.address, "port": self.port, "user": "tester", "password": "mariadb"}
        with closing(pymysql.connect(**where, database=database, autocommit=True)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def database(self, name: str, password: str = PASSWORD) -> dict[str, str]:
        """Make a database that an account of the same name may do all with; the variable that leads to it."""
        self.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.query(f"CREATE USER {name}@'%%' IDENTIFIED BY %s", values=(password,))
        self.query(f"GRANT ALL ON {name}.* TO {name}@'%'")
        return {"MLFLOW_BACKEND_STORE_URI": self.uri(name, password)}

    def uri(self, name: str, password: str) -> str:
        """As docs/databases.md says to write it."""
        return f"mysql+pymysql://{name}:{quote(password, safe='')}@{self.address}:{self.port}/{name}"
