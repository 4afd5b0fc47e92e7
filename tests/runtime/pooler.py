"""A real PgBouncer on a loopback port, in transaction mode."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.network import free_port, listens, wait_until
from runtime.postgres import not_root
from testbed import tools


@contextmanager
def pgbouncer(where: dict[str, str], connections: int) -> Iterator[dict[str, str]]:
    """Before one database, to which it opens so many connections. libpq's variables for this way."""
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    port = free_port()
    (folder / "users").write_text(f'"{where["PGUSER"]}" "{where["PGPASSWORD"]}"\n')
    (folder / "ini").write_text(f"""
        [databases]
        * = host={where["PGHOST"]} port={where["PGPORT"]}
        [pgbouncer]
        pool_mode = transaction
        default_pool_size = {connections}
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = scram-sha-256
        auth_file = {folder}/users
        """)
    command = [tools.ensure("pgbouncer"), "--quiet", folder / "ini"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **not_root(folder))
    try:
        wait_until("PgBouncer", lambda: listens(port))
        yield where | {"PGPORT": str(port)}
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)
