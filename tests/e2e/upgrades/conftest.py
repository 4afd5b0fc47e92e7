"""The place of an upgrade, on the PostgreSQL and SeaweedFS that `make up` installed."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from e2e.helm import OUR_IMAGE
from e2e.kube import Kube
from e2e.stores import POSTGRES, Database, shared_stores
from e2e.upgrades.place import Place

FROM_CLIENTS = {"from": [{"podSelector": {"matchLabels": {"app": "client"}}}], "ports": [{"port": 5000}]}
SMALL = {"requests": {"cpu": "50m", "memory": "256Mi"}}
NEVER = "0 0 1 1 *"  # by itself
# What production has, as far as a cluster without operators knows it. The autoscaler keeps two pods.
VALUES: dict[str, Any] = {
    "image": OUR_IMAGE,
    "autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 2},
    "mlflow": {"resources": SMALL},
    "backup": {
        "enabled": True,
        "schedule": NEVER,
        "image": POSTGRES,
        "drill": {"enabled": True, "schedule": NEVER},
        "resources": SMALL,
    },
    "retention": {"schedule": NEVER},
    "dashboard": {"enabled": True},
    "ingress": {
        "enabled": True,
        "className": "traefik",
        "hosts": [{"host": "mlflow.example.com", "paths": [{"path": "/"}]}],
    },
    "networkPolicy": {"enabled": True, "ingress": [FROM_CLIENTS]},
}


@pytest.fixture
def database(kube: Kube) -> Database:
    return Database.create(kube, f"upgrade_{secrets.token_hex(3)}")


@pytest.fixture
def place(kube: Kube, kubeconfig: Path, namespace: str, database: Database, tmp_path: Path) -> Place:
    values = VALUES | shared_stores(kube, namespace, database)
    values["backendStore"]["postgres"]["cleanupRunsEnabled"] = True
    return Place(kubeconfig, namespace, values, tmp_path)
