"""A real Google Cloud Storage (fake-gcs-server) on a loopback port, for as long as a test session."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import requests

from runtime.network import free_port, wait_until
from testbed import tools

BUCKET = "models"


class Gcs:
    """One bucket."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gcs-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        options = ["-scheme=http", "-host=127.0.0.1", f"-port={self.port}", "-backend=memory"]
        options += [f"-external-url={self.url}", f"-public-host=127.0.0.1:{self.port}"]
        with (self.folder / "log").open("wb") as log:
            command = [tools.ensure("fake-gcs-server"), *options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        wait_until("fake-gcs-server", self._answers)

    def names(self) -> list[str]:
        """All objects of the bucket."""
        answer = requests.get(f"{self.url}/storage/v1/b/{BUCKET}/o", timeout=60)
        return [each["name"] for each in answer.json().get("items", [])]

    def put(self, name: str, body: bytes) -> None:
        """Another one."""
        where = f"{self.url}/upload/storage/v1/b/{BUCKET}/o"
        query = {"uploadType": "media", "name": name}
        requests.post(where, body, params=query, timeout=60).raise_for_status()

    def environment(self) -> dict[str, str]:
        """The variables of a server that keeps its artifacts here."""
        return {"MLFLOW_ARTIFACTS_DESTINATION": f"gs://{BUCKET}/a/b", "STORAGE_EMULATOR_HOST": self.url}

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            return requests.post(f"{self.url}/storage/v1/b", json={"name": BUCKET}, timeout=60).ok
        except requests.RequestException:
            return False

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)
