"""KServe's own storage package reads the files at the address that examples/kserve/storage_uri.py prints."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflowops.paths import REPO

from runtime.azure import ACCOUNT, CONTAINER
from runtime.gcs import BUCKET as GOOGLE_BUCKET
from runtime.gcs import Gcs
from runtime.s3 import BUCKET, S3
from testbed import paths

LOCK = Path(__file__).with_name("kserve-storage.lock")
MODEL = "1/models/m-0123456789abcdef0123456789abcdef/artifacts"
DOWNLOAD = """
import sys
from kserve_storage import Storage
Storage.download(sys.argv[1], sys.argv[2])
"""
PARSE = """
import json, re, sys
from kserve_storage import Storage, kserve_storage
assert any(re.search(pattern, sys.argv[1]) for pattern in kserve_storage._AZURE_BLOB_RE)
print(json.dumps(Storage._parse_azure_uri(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def package() -> Path:
    """The folder of the locked package; the clients of the stores are those of these tests."""
    folder = paths.cache("kserve-storage", LOCK.read_text().split()[0])
    if not (folder / "kserve_storage").exists():
        uv = Path(sys.executable).parent / "uv"
        words = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", LOCK]
        subprocess.run([uv, *words, "--target", folder], check=True)
    return folder


@pytest.fixture
def storage_uri(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(REPO / "examples/kserve")
    from storage_uri import storage_uri as found

    return found


def run(package: Path, program: str, *words: str, **env: str) -> str:
    env = {"PYTHONPATH": str(package), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **env}
    done = subprocess.run([sys.executable, "-c", program, *words], env=env, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_files_in_s3(package: Path, storage_uri: Any, s3: S3, tmp_path: Path) -> None:
    s3.client().put_object(Bucket=BUCKET, Key=f"kserve/artifacts/{MODEL}/MLmodel", Body=b"flavors: {}")
    address = storage_uri(f"mlflow-artifacts:/{MODEL}", f"s3://{BUCKET}/kserve/artifacts")
    account, secret = next(iter(s3.secrets.items()))
    keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": "us-east-1"}
    run(package, DOWNLOAD, address, str(tmp_path), AWS_ENDPOINT_URL=s3.url, **keys)
    assert (tmp_path / "MLmodel").read_bytes() == b"flavors: {}"


def test_files_in_google_storage(package: Path, storage_uri: Any, gcs: Gcs, tmp_path: Path) -> None:
    gcs.put(f"a/b/{MODEL}/MLmodel", b"flavors: {}")
    address = storage_uri(f"mlflow-artifacts:/{MODEL}", f"gs://{GOOGLE_BUCKET}/a/b/")
    run(package, DOWNLOAD, address, str(tmp_path), STORAGE_EMULATOR_HOST=gcs.url)
    assert (tmp_path / "MLmodel").read_bytes() == b"flavors: {}"


def test_the_address_of_files_in_azure(package: Path, storage_uri: Any) -> None:
    """KServe fixes Azure's host name, which no server here can have: it takes the address apart as meant."""
    store = f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net/a/b"
    address = storage_uri(f"mlflow-artifacts:/{MODEL}", store)
    account, url, container, prefix = json.loads(run(package, PARSE, address))
    assert (account, url) == (ACCOUNT, f"https://{ACCOUNT}.blob.core.windows.net")
    assert (container, prefix) == (CONTAINER, f"a/b/{MODEL}")


@pytest.mark.parametrize(
    ("address", "printed"),
    [
        (f"s3://bucket/{MODEL}", f"s3://bucket/{MODEL}"),
        (f"wasbs://c@a.blob.core.windows.net/{MODEL}", f"https://a.blob.core.windows.net/c/{MODEL}"),
    ],
)
def test_an_address_of_mode_direct_needs_no_server(storage_uri: Any, address: str, printed: str) -> None:
    assert storage_uri(address, "s3://elsewhere") == printed


def test_what_kserve_cannot_read_is_refused(storage_uri: Any) -> None:
    with pytest.raises(SystemExit, match="KServe does not read abfss"):
        storage_uri(f"mlflow-artifacts:/{MODEL}", "abfss://c@a.dfs.core.windows.net/a")
