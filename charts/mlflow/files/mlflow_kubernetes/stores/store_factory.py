"""Which object store an address names."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from mlflow_kubernetes.stores.azure import BlobStorage, DataLake
from mlflow_kubernetes.stores.gcs import Gcs
from mlflow_kubernetes.stores.object_store import BackupStore, ObjectStore
from mlflow_kubernetes.stores.s3 import S3

KINDS: dict[str, type[ObjectStore]] = {"abfss": DataLake, "gs": Gcs, "s3": S3, "wasbs": BlobStorage}


def open_store(env: Mapping[str, str], address: str) -> ObjectStore | None:
    """Return the store of an address such as `s3://bucket/path`; None if that is no object store's."""
    uri = urlsplit(address)
    return KINDS[uri.scheme](env, uri) if uri.scheme in KINDS else None


def open_backup_store(env: Mapping[str, str], address: str) -> BackupStore:
    """Return the store at `s3://bucket/path`, `wasbs://container@account/path` or `gs://bucket/path`."""
    store = open_store(env, address)
    if not isinstance(store, BackupStore):
        raise ValueError(f"{address} is no place for backups")
    return store
