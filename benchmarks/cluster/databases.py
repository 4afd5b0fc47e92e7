"""A database for each peer on the one PostgreSQL of the test bed, all of one role."""

import contextlib
import secrets
from typing import Any

import psycopg2
from e2e.kube import Kube
from e2e.stores import admin

ROLE = "benchmark"
HOST = "postgres.ml.svc.cluster.local"


class Databases:
    """Makes and copies databases. The password of their role is a new one at each run."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self.password = secrets.token_hex(16)
        self._execute(
            f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            f"ALTER ROLE {ROLE} PASSWORD '{self.password}'",
        )

    def create(self, name: str, template: str = "") -> None:
        """Make a database in place of the one of this name: empty, or a copy of another one.

        Args:
            name: The database.
            template: The database to copy, file by file. Its connections are closed.
        """
        self.drop(name)
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        if template:
            self.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", template
            )
        self._execute(f'CREATE DATABASE "{name}" OWNER {ROLE}{copied}')

    def drop(self, name: str) -> None:
        """Remove a database, if it exists."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def connect(self, name: str) -> Any:
        """Return a superuser's connection to a database."""
        password = self.kube.read_secret("ml", "mlflow-postgres-secret")["password"]
        host = self.kube.services.get("ml", "postgres")
        return psycopg2.connect(host=host, dbname=name, user="mlflow", password=password)

    def execute(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the rows of one statement, by a superuser outside of a transaction."""
        with contextlib.closing(admin(self.kube)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def _execute(self, *statements: str) -> None:
        for statement in statements:
            self.execute(statement)
