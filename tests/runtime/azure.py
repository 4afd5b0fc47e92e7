"""A real Azure Blob Storage (Azurite) on a loopback port, for as long as a test session."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

from runtime.network import free_port, wait_until
from testbed import tools

ACCOUNT, KEY = "mlflowtest", "bm90IGEgc2VjcmV0LCBidXQgYmFzZTY0IGFuZCBsb25nIGVub3VnaA=="
CONTAINER = "models"


class Azure:
    """One account with one container."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="azure-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        options = ["--blobHost=127.0.0.1", f"--blobPort={self.port}", "--inMemoryPersistence"]
        # Azurite learns of new API versions later than Azure's own client.
        options += ["--skipApiVersionCheck", "--disableTelemetry"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [tools.ensure("azurite"), *options],
                stdout=log, stderr=log, cwd=self.folder,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            )  # fmt: skip
        wait_until("Azurite", self._answers)

    def connection(self, key: str = KEY) -> str:
        """The connection string that the chart makes of account, key and endpoint."""
        return f"AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={self.url}"

    def client(self) -> BlobServiceClient:
        """Azure's own client."""
        return BlobServiceClient.from_connection_string(self.connection(), retry_total=0)

    def names(self) -> list[str]:
        """All blobs of the container."""
        return list(self.client().get_container_client(CONTAINER).list_blob_names())

    def put(self, name: str, body: bytes) -> None:
        """Another one."""
        self.client().get_blob_client(CONTAINER, name).upload_blob(body)

    def environment(self, key: str = KEY) -> dict[str, str]:
        """The variables of a server that keeps its artifacts here."""
        return {
            "MLFLOW_ARTIFACTS_DESTINATION": f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net/a/b",
            "AZURE_STORAGE_ACCESS_KEY": key,
            "AZURE_STORAGE_CONNECTION_STRING": self.connection(key),
        }

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            self.client().create_container(CONTAINER)
        except AzureError:
            return False
        return True

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)
