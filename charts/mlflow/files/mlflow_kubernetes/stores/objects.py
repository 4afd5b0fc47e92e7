"""Which object store an address names."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from mlflow_kubernetes.stores.azure import Blobs, DataLake
from mlflow_kubernetes.stores.gcs import Gcs
from mlflow_kubernetes.stores.s3 import S3
from mlflow_kubernetes.stores.store import Folder, Store

KINDS: dict[str, type[Store]] = {"abfss": DataLake, "gs": Gcs, "s3": S3, "wasbs": Blobs}


def open_store(env: Mapping[str, str], address: str) -> Store | None:
    """Return the store of an address such as `s3://bucket/path`; None if that is no object store's."""
    uri = urlsplit(address)
    return KINDS[uri.scheme](env, uri) if uri.scheme in KINDS else None


def open_folder(env: Mapping[str, str], address: str) -> Folder:
    """Return the store at `s3://bucket/path`, `wasbs://container@account/path` or `gs://bucket/path`."""
    store = open_store(env, address)
    if not isinstance(store, Folder):
        raise ValueError(f"{address} is no place for backups")
    return store
