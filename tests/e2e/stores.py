"""Databases and buckets for tests, on the PostgreSQL and SeaweedFS that `make up` installed."""

import contextlib
from dataclasses import dataclass
from typing import Any

import boto3
import psycopg2
from mlflowops.generated_secrets import GENERATED, random_key

from e2e.kube import Kube

# Every character that broke a peer's chart: URL, shell, INI, JSON and YAML specials.
NASTY = """p@ss:w/rd#%&? +'"\\é$(x)"""
# What a server needs as soon as it has several pods. Random, so that a log cannot hold one by chance.
KEYS = {key: random_key() for key in GENERATED["mlflow-keys-secret"]}

# The image with PostgreSQL's programs, for `backup.image`.
POSTGRES = {"registry": "localhost", "repository": "postgres", "tag": "15", "pullPolicy": "Never"}


@dataclass
class Database:
    """One database with a role of its own; `url()` is for SQLAlchemy on the host, without the password."""

    kube: Kube
    name: str
    password: str

    @classmethod
    def create(cls, kube: Kube, name: str, password: str = NASTY) -> "Database":
        name = name.replace("-", "_")
        # `with connection` would open a transaction, in which no database can be made.
        with contextlib.closing(admin(kube)) as connection, connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'DROP ROLE IF EXISTS "{name}"')
            cursor.execute(f'CREATE ROLE "{name}" LOGIN PASSWORD %s', (password,))
            cursor.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
        return cls(kube, name, password)

    def connect(self) -> Any:
        return _connect(self.kube, self.name, self.name, self.password)

    def revision(self) -> str:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT version_num FROM alembic_version")
            return str(cursor.fetchone()[0])

    def values(self) -> dict[str, Any]:
        return {
            "enabled": True,
            "host": "postgres.ml.svc.cluster.local",
            "database": self.name,
            "username": self.name,
            "passwordFromSecret": {"enabled": True, "name": "mlflow-postgres-secret", "key": "password"},
        }


def admin(kube: Kube) -> Any:
    """A superuser's connection from the host."""
    connection = _connect(
        kube, "postgres", "mlflow", kube.read_secret("ml", "mlflow-postgres-secret")["password"]
    )
    connection.autocommit = True
    return connection


def _connect(kube: Kube, database: str, user: str, password: str) -> Any:
    host = kube.services.get("ml", "postgres")
    return psycopg2.connect(host=host, dbname=database, user=user, password=password, connect_timeout=10)


def shared_stores(kube: Kube, namespace: str, database: Database, secret: bool = True) -> dict[str, Any]:
    """Values for PostgreSQL + S3 in `namespace`, with the Secrets that they name (unless `secret` is off)."""
    kube.secret(namespace, "mlflow-s3-secret", kube.read_secret("ml", "mlflow-s3-secret"))
    if secret:
        kube.secret(namespace, "mlflow-postgres-secret", {"password": database.password})
    s3 = {
        "enabled": True,
        "bucket": "mlflow",
        "path": namespace,
        "endpoint": "http://seaweedfs.ml.svc.cluster.local:8333",
        "region": "us-east-1",
        "credentialsFromSecret": {"enabled": True, "name": "mlflow-s3-secret"},
    }
    kube.secret(namespace, "mlflow-keys-secret", KEYS)
    keys = {"fromSecret": {"enabled": True}}
    return {"backendStore": {"postgres": database.values()}, "artifactStore": {"s3": s3}, "keys": keys}


def s3_client(kube: Kube, namespace: str = "ml", service: str = "seaweedfs") -> Any:
    """For the SeaweedFS of those values, or another one of this chart, from the host."""
    secret = kube.read_secret(namespace, "mlflow-s3-secret")
    address = kube.services.get(namespace, service)
    return boto3.client(
        "s3",
        endpoint_url=f"http://{address}:8333",
        aws_access_key_id=secret["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
