"""The objects of a peer, as YAML, and the Secrets that they name."""

import string
from pathlib import Path

import yaml
from e2e.helm import CHART, OUR_IMAGE, Helm
from e2e.kube import Kube
from e2e.stores import KEYS
from mlflowops.paths import REPO

from benchmarks.cluster.databases import HOST, ROLE, Databases
from benchmarks.peers.peer import Peer

FOLDER = Path(__file__).parent
LOGIN_ARGUMENTS = ["--app-name=basic-auth"]
ACCOUNT = {"username": "admin", "password": "a-password-of-the-benchmark"}


def objects(peer: Peer, helm: Helm) -> str:
    """Return what `kubectl apply` gets."""
    return _of_manifest(peer) if peer.manifest else _of_chart(peer, helm)


def image_of(peer: Peer) -> str:
    """Return the reference of the server's image."""
    return "{registry}/{image}:{tag}".format(**OUR_IMAGE, image=peer.image)


def _of_manifest(peer: Peer) -> str:
    template = string.Template((FOLDER / peer.manifest).read_text())
    text = template.substitute(image=image_of(peer), namespace=peer.namespace, database=peer.database)
    deployment = yaml.safe_load(text)
    pod = deployment["spec"]["template"]["spec"]
    if not peer.login:  # without accounts the chart writes no file for them
        containers = pod.get("initContainers", [])
        pod["initContainers"] = [each for each in containers if each["name"] != "ini-file-initializer"]
    else:
        pod["containers"][0]["args"] += LOGIN_ARGUMENTS
    return yaml.safe_dump(deployment)


def _of_chart(peer: Peer, helm: Helm) -> str:
    postgres = peer.values.get("backendStore", {}).get("postgres", {})
    given = {
        **peer.values,
        "image": {**OUR_IMAGE, "pullPolicy": "Never"},
        "backendStore": {"postgres": {**postgres, "database": peer.database, "username": ROLE}},
        "artifactStore": {"s3": {"path": peer.namespace}},
    }
    words = ("template", "mlflow", str(CHART), "--namespace", peer.namespace, "--no-hooks")
    files = ("--values", str(REPO / "values.yaml"), "--values", str(FOLDER / "ours.yaml"), "--values", "-")
    return helm(*words, *files, stdin=yaml.safe_dump(given)).stdout


def make_secrets(peer: Peer, kube: Kube, databases: Databases) -> None:
    """Make the Secrets of database, object store, keys and administrator."""
    uri = f"postgresql://{ROLE}:{databases.password}@{HOST}:5432/{peer.database}"
    known = {
        "mlflow-postgres-secret": {"password": databases.password, "uri": uri},
        "mlflow-s3-secret": kube.read_secret("ml", "mlflow-s3-secret"),
        "mlflow-keys-secret": KEYS,
        "mlflow-flask-secret": {"MLFLOW_FLASK_SERVER_SECRET_KEY": KEYS["flask-secret-key"]},
        "mlflow-admin-secret": ACCOUNT,
    }
    for name, data in known.items():
        kube.secret(peer.namespace, name, data)
