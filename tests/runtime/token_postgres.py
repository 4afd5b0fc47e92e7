"""A PostgreSQL that leaves the check of a password to a cloud, as RDS and Azure do: by LDAP, over TLS."""

import shutil
import socketserver
import threading
from typing import IO

from psycopg2 import sql

from runtime.clouds import Cloud
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.tls import certificate

HBA = """
hostssl all +tokens 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={} ldapprefix="cn=" ldapsuffix=""
host all +tokens all reject
"""


class TokenPostgres(Postgres):
    """Its superuser has a password; the roles of `token_database` log in with a token of `cloud`."""

    cloud: Cloud

    def start(self) -> "TokenPostgres":
        """Start both."""
        super().start()
        self.directory = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self.directory.daemon_threads = True
        threading.Thread(target=self.directory.serve_forever, daemon=True).start()
        self.query("CREATE ROLE tokens")
        data = self.folder / "data"
        hba = data / "pg_hba.conf"
        hba.write_text(HBA.format(self.directory.server_address[1]) + hba.read_text())
        for made, name in zip(certificate(self.folder), ("server.crt", "server.key"), strict=True):
            if self.user:
                shutil.chown(made, self.user["user"], self.user["group"])
            made.rename(data / name)
        self.query("ALTER SYSTEM SET ssl = on")
        self.query("SELECT pg_reload_conf()")
        wait_until("TLS", lambda: self.query("SHOW ssl") == [("on",)])
        return self

    def token_database(self, name: str) -> dict[str, str]:
        """Make a database whose owner needs a token; the variables of a pod for it."""
        env = self.database(name, "of no use")
        self.query(sql.SQL("GRANT tokens TO {}").format(sql.Identifier(name)))
        del env["PGPASSWORD"]
        return {**env, "PGSSLMODE": "require", "MLFLOW_KUBERNETES_POSTGRES_TOKEN_SECONDS": "1"}

    def disconnect(self, name: str) -> None:
        """End all connections of a role."""
        self.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", values=(name,)
        )

    def remove(self) -> None:
        """Stop both."""
        self.directory.shutdown()
        self.directory.server_close()
        super().remove()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        postgres = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = read_element(self.rfile)
                number, bind = elements(request)[:2]
                _, name, password = elements(bind[1])
                user = name[1].decode().removeprefix("cn=")
                right = postgres.cloud.accepts(user, password[1].decode())
                result = b"\x0a\x01" + bytes([0 if right else 49]) + b"\x04\x00\x04\x00"
                body = b"\x02" + bytes([len(number[1])]) + number[1] + b"\x61" + bytes([len(result)]) + result
                self.wfile.write(b"\x30" + bytes([len(body)]) + body)
                self.rfile.read()  # until PostgreSQL has closed it

        return Handler


def read_element(stream: IO[bytes]) -> bytes:
    """The content of the next element of BER in a stream."""
    _, first = stream.read(2)
    size = first if first < 128 else int.from_bytes(stream.read(first - 128), "big")
    return stream.read(size)


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """The elements of BER in some bytes: tag and content of each."""
    found = []
    while content:
        tag, first, more = content[0], content[1], 2
        if first >= 128:
            more, first = first - 126, int.from_bytes(content[2 : first - 126], "big")
        found.append((tag, content[more : more + first]))
        content = content[more + first :]
    return found
