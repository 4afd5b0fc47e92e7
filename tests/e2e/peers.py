"""Releases of other MLflow charts as their users have them, with the values of their pages in docs."""

import contextlib
import re
import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import utils
from kubernetes.dynamic import DynamicClient
from mlflowops.paths import REPO

from e2e.helm import OUR_IMAGE
from e2e.kube import Kube
from e2e.stores import Database, admin

MANIFESTS = Path(__file__).parent / "manifests/peers"
PAGE = (REPO / "docs/migrating.md").read_text()
IMAGE = f"{OUR_IMAGE['registry']}/{OUR_IMAGE['repository']}:{OUR_IMAGE['tag']}"
STORE, PORT = "seaweedfs.ml.svc.cluster.local", 8333
ENDPOINT = f"http://{STORE}:{PORT}"
HOST = "postgres.ml.svc.cluster.local"
# The Secrets that the values name.
NEEDS = {
    "official": ("mlflow-db-app", "s3-credentials"),
    "community": ("postgres-database-secret", "s3-credentials", "auth-admin-secret"),
    "bitnami": ("postgres-secret", "s3-secret", "login"),
}
ADMIN = {"username": "admin", "password": f"admin-{secrets.token_hex(8)}"}
KEYS = {
    "name": "s3-credentials",
    "keyOfAccessKeyId": "access-key-id",
    "keyOfSecretAccessKey": "secret-access-key",
}


@dataclass
class Old:
    """A release of a chart: the Deployment and the Service that are to be replaced."""

    peer: str
    kube: Kube
    namespace: str
    database: Database
    bucket: str

    @property
    def name(self) -> str:
        """Of its Deployment and its Service."""
        return "old-mlflow-tracking" if self.peer == "bitnami" else "old-mlflow"

    def values(self) -> str:
        """The values of the page, with what is different at this site."""
        page = (REPO / f"docs/migrating-{self.peer}.md").read_text()
        (text,) = re.findall(rf"```yaml\n# {self.peer}\n(.*?)```", page, re.DOTALL)
        text = text.replace("postgres.example.com", HOST).replace("my-bucket", self.bucket)
        return yaml.safe_dump(_merged(yaml.safe_load(text), self._site()))

    def _site(self) -> dict[str, Any]:
        """Its servers, and no Ingress: no controller would give it an address."""
        one = {"server": {"value_options": {"workers": 1}}, "replicaCount": 1}
        endpoint = {"name": "MLFLOW_S3_ENDPOINT_URL", "value": ENDPOINT}
        login = {"database": self.database.name, "user": self.database.name}
        secret = {"usernameKey": "username"}
        return {
            "official": {**one, "env": [endpoint]},
            "community": {
                "backendStore": {"postgres": login, "existingDatabaseSecret": secret},
                "artifactRoot": {"s3": {"existingSecret": KEYS}},
                "extraEnvVars": {endpoint["name"]: ENDPOINT},
                "ingress": {"enabled": False},
            },
            "bitnami": {
                "externalDatabase": login,
                "externalS3": {"host": STORE, "port": PORT, "protocol": "http"},
                "tracking": {"ingress": {"enabled": False}},
            },
        }[self.peer]

    def install(self) -> None:
        """Its Secrets, the database of its accounts, its objects."""
        known = self._secrets()
        for name in NEEDS[self.peer]:
            self.kube.secret(self.namespace, name, known[name])
        with contextlib.closing(admin(self.kube)) as connection, connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self.database.name}_auth" OWNER "{self.database.name}"')
        for each in self._objects():
            utils.create_from_dict(self.kube.api, each, namespace=self.namespace)

    def _secrets(self) -> dict[str, dict[str, str]]:
        name, password = self.database.name, self.database.password
        keys = self.kube.read_secret("ml", "mlflow-s3-secret")
        key_id, key = keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]
        uri = f"postgresql://{name}:{password}@{HOST}:5432/{name}"
        account = {"admin-user": ADMIN["username"], "admin-password": ADMIN["password"]}
        return {
            "mlflow-db-app": {"uri": uri, "password": password},
            "postgres-database-secret": {"username": name, "password": password},
            "postgres-secret": {"db-password": password},
            "s3-credentials": {"access-key-id": key_id, "secret-access-key": key},
            "s3-secret": {"root-user": key_id, "root-password": key},
            "auth-admin-secret": ADMIN,
            "login": {**account, "flask-server-secret-key": secrets.token_hex(16)},
        }

    def uninstall(self) -> None:
        """What `helm uninstall` removes: its objects, and no Secret that it did not make."""
        api = DynamicClient(self.kube.api)
        for each in self._objects():
            kind = api.resources.get(api_version=each["apiVersion"], kind=each["kind"])
            kind.delete(each["metadata"]["name"], self.namespace)

    def _objects(self) -> list[dict[str, Any]]:
        template = string.Template((MANIFESTS / f"{self.peer}.yaml").read_text())
        text = template.substitute(
            image=IMAGE, bucket=self.bucket, endpoint=ENDPOINT, host=HOST, database=self.database.name,
            flask=secrets.token_hex(16),
        )  # fmt: skip
        return list(yaml.safe_load_all(text))


def _merged(old: Any, more: Any) -> Any:
    if isinstance(old, dict) and isinstance(more, dict):
        return old | {key: _merged(old.get(key), value) for key, value in more.items()}
    return old + more if isinstance(old, list) else more
