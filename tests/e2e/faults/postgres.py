"""What a fault does to the PostgreSQL of the suite."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from e2e.kube import Kube, eventually

NAME = "postgres"
POD = f"{NAME}-0"
SELECTOR = f"app.kubernetes.io/instance={NAME}"
PSQL = "psql --username mlflow --quiet --no-align --tuples-only"
# Connections of the server, which come by TCP; those of a fault come by the socket in the pod.
OTHERS = "FROM pg_stat_activity WHERE client_addr IS NOT NULL"
# More programs than there are connections, which ask until they have one. The program that cuts has its own.
TAKE = f"""running="SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
until {PSQL} --dbname postgres --command "$running" | grep -q pg_terminate_backend; do sleep 0.1; done
end=$(($(date +%s) + seconds))
for each in $(seq 45); do (
  until {PSQL} --dbname postgres --command "SELECT pg_sleep($end - extract(epoch FROM now()))"; do
    [ "$(date +%s)" -lt "$end" ] || exit 0
    sleep 0.5
  done ) > /dev/null 2>&1 &
done
wait"""


@dataclass
class Postgres:
    """The one pod of the chart in testbed/charts/postgresql."""

    kube: Kube
    namespace: str

    def shell(self, script: str) -> str:
        """Run a script in the pod; what it prints."""
        return self.kube.exec(self.namespace, POD, ["sh", "-c", script])

    def query(self, *statements: str, database: str = "mlflow") -> str:
        """Run statements in one session of an administrator, who may write in any case."""
        options = "export PGOPTIONS='-c default_transaction_read_only=off'"
        commands = " ".join(f"--command {_quoted(each)}" for each in statements)
        return self.shell(f"{options}; {PSQL} --dbname {database} {commands} 2>&1")

    def cut(self, seconds: float, share: float = 1) -> None:
        """End a share of all connections of the server, ten times a second for that long."""
        self.query(_cutting(seconds, share))

    def take_certificate(self, certificate: dict[str, str]) -> None:
        """Use these files, `tls.crt` and `tls.key`, for each new connection, as when an operator reloads."""
        for name, text in certificate.items():
            self.shell(f"cd $PGDATA; umask 077; echo '{text}' > {name}.new && mv {name}.new {name}")
        settings = {"ssl_cert_file": "'tls.crt'", "ssl_key_file": "'tls.key'", "ssl": "on"}
        changes = [f"ALTER SYSTEM SET {name} = {value}" for name, value in settings.items()]
        self.query(*changes, "SELECT pg_reload_conf()")

    def without_tls(self) -> None:
        """As it was before the first certificate."""
        self.query("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")

    def plain_connections(self) -> int:
        """How many connections of the server have no TLS."""
        count = f"SELECT count(*) {OTHERS} AND NOT (SELECT ssl FROM pg_stat_ssl s WHERE s.pid = a.pid)"
        return int(self.query(count.replace("pg_stat_activity", "pg_stat_activity a")))

    def restart(self) -> None:
        """Delete the pod and wait for its successor."""
        self.kube.core.delete_namespaced_pod(POD, self.namespace)
        self.kube.wait_ready(self.namespace, 1, 120, SELECTOR)

    def stop_for(self, seconds: float) -> None:
        stopped(self.kube, self.namespace, NAME, seconds)

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """As after a fail-over to a standby that was not promoted, or by the guard of a full disk."""
        self.query("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self.query("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")

    def take_connections(self, seconds: int) -> None:
        """Other programs take all connections: those of the server end, ten times a second for that long."""
        cut = f"{PSQL} --dbname mlflow --command {_quoted(_cutting(seconds))} > /dev/null 2>&1 &"
        self.shell(f"seconds={seconds}; {cut} {TAKE}")

    @contextlib.contextmanager
    def on_small_disk(self) -> Iterator[None]:
        """In the block the tables, not the write-ahead log, are on a disk of 64 MB: the pod's /dev/shm."""
        self.shell("mkdir -p /dev/shm/small")
        self.query("CREATE TABLESPACE small LOCATION '/dev/shm/small'")
        self._move_tables("small")
        try:
            yield
        finally:
            self._move_tables("pg_default")
            self.query("DROP TABLESPACE small")

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """No byte is left on the small disk in the block."""
        self.shell("dd if=/dev/zero of=/dev/shm/fill bs=8k 2>&1")
        try:
            yield
        finally:
            self.shell("rm /dev/shm/fill")

    def _move_tables(self, place: str) -> None:
        moved = self.query(
            "ALTER DATABASE mlflow WITH ALLOW_CONNECTIONS false",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'mlflow'",
            f"ALTER DATABASE mlflow SET TABLESPACE {place}",
            "ALTER DATABASE mlflow WITH ALLOW_CONNECTIONS true",
            database="postgres",
        )
        assert "ERROR" not in moved, moved


def _cutting(seconds: float, share: float = 1) -> str:
    return f"""DO $do$ BEGIN FOR turn IN 1..{int(seconds * 10)} LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) {OTHERS} AND random() < {share};
        PERFORM pg_sleep(0.1);
    END LOOP; END $do$"""


def stopped(kube: Kube, namespace: str, name: str, seconds: float) -> None:
    """No pod of a StatefulSet for that long; returns when there is one again."""
    selector = f"app.kubernetes.io/instance={name}"
    kube.apps.patch_namespaced_stateful_set_scale(name, namespace, {"spec": {"replicas": 0}})
    try:
        eventually(lambda: not kube.pods(namespace, selector), 60, f"end of {name}")
        time.sleep(seconds)
    finally:
        kube.apps.patch_namespaced_stateful_set_scale(name, namespace, {"spec": {"replicas": 1}})
        kube.wait_ready(namespace, 1, 120, selector)


def _quoted(statement: str) -> str:
    return "'" + statement.replace("'", "'\\''") + "'"
