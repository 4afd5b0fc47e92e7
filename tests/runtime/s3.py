"""A real S3 (SeaweedFS) on loopback ports, for as long as a test session."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from runtime.network import free_port, wait_until
from testbed import tools

BUCKET = "mlflow"
RIGHTS = ["Read", "Write", "List", "Tagging"]


class S3:
    """One bucket, and one account for each given secret key. `only` keeps accounts to one bucket each."""

    def __init__(self, only: Mapping[str, str] | None = None, **secrets: str) -> None:
        rights = {name: [f"{each}:{bucket}" for each in RIGHTS] for name, bucket in (only or {}).items()}
        self.folder = Path(tempfile.mkdtemp(prefix="s3-"))
        self.secrets = secrets
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        accounts = [
            {
                "name": name,
                "credentials": [{"accessKey": name, "secretKey": secret}],
                "actions": rights.get(name, ["Admin", *RIGHTS]),
            }
            for name, secret in secrets.items()
        ]
        (self.folder / "accounts.json").write_text(json.dumps({"identities": accounts}))
        self.process = self._start()
        wait_until("SeaweedFS", self._answers)

    def _start(self) -> subprocess.Popen[bytes]:
        # A bucket takes seven volumes. Without one for the filer's log all writes hang after 18 minutes.
        options = [f"-dir={self.folder}", "-ip=127.0.0.1", "-volume.max=32", "-s3", f"-s3.port={self.port}"]
        options += [f"-{part}.port={free_port()}" for part in ("master", "volume", "filer")]
        options += [f"-s3.config={self.folder / 'accounts.json'}", "-s3.iam=false"]
        options += [
            f"-s3.port.{catalog}=0" for catalog in ("iceberg", "lance")
        ]  # fixed ports: one server a machine
        with (self.folder / "log").open("wb") as log:
            command = [str(tools.ensure("weed")), "server", *options]
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            self.client().create_bucket(Bucket=BUCKET)
            self.client().put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
        except (BotoCoreError, ClientError):
            return False
        return True

    def client(self, account: str = "") -> Any:
        """boto3's client for that account, or the first one."""
        name = account or next(iter(self.secrets))
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=name,
            aws_secret_access_key=self.secrets[name],
            region_name="us-east-1",
        )

    def environment(self, account: str) -> dict[str, str]:
        """The variables of a server that keeps its artifacts here."""
        return {
            "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/artifacts",
            "MLFLOW_S3_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": self.secrets[account],
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.process.kill()  # a graceful end takes it a minute
        self.process.wait()
        shutil.rmtree(self.folder)
