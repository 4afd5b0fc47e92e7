"""A second release uses the database of the first one by mistake, with its own artifacts and retention."""

from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from mlflowops.generated_secrets import random_key

from e2e.faults.conftest import VALUES
from e2e.faults.release import Release
from e2e.faults.tasks import BUSY, Tasks, old_runs
from e2e.helm import Helm
from e2e.stores import KEYS

SMALL = {"requests": {"cpu": "20m", "memory": "128Mi"}}


@pytest.mark.nightly
def test_two_releases_use_one_database(
    release: Release, helm: Helm, kubeconfig: Path, namespace: str, tmp_path: Path
) -> None:
    """Its retention refuses to work: what is old by its values only stays."""
    first = Tasks(release, kubeconfig)
    second = Tasks(Release(release.kube, namespace, replicas=1), kubeconfig, release.namespace)
    runs, needed = old_runs(first, 3)

    def happen() -> None:
        _install(helm, release, namespace)
        log = second.wait(second.start("retention"), "Failed")
        assert f"the database belongs to {release.namespace}/mlflow with artifacts in s3://mlflow," in log

    outcome = release.under_load("A second release uses the database, with a retention of its own", happen)
    assert set(outcome.refused) <= BUSY
    client = MlflowClient(f"http://{release.kube.services.get(release.namespace, 'mlflow')}")
    for run in [*runs, needed]:
        assert client.get_run(run).info.lifecycle_stage == "active"
        assert Path(client.download_artifacts(run, "model/MLmodel", str(tmp_path))).read_text()
    url = f"http://{release.kube.services.get(namespace, 'mlflow')}"
    assert MlflowClient(url).get_run(needed).to_dictionary() == client.get_run(needed).to_dictionary()
    file = f"{url}/api/2.0/mlflow-artifacts/artifacts/0/{needed}/artifacts/model/MLmodel"
    assert not requests.get(file, timeout=60).ok, "it has no artifacts of these runs"


def _install(helm: Helm, release: Release, namespace: str) -> None:
    """In another namespace, with the addresses of the first one's stores."""
    for name in ("mlflow-postgres-secret", "mlflow-s3-secret"):
        release.kube.secret(namespace, name, release.kube.read_secret(release.namespace, name))
    keys = {key: random_key() for key in KEYS}
    release.kube.secret(namespace, "mlflow-keys-secret", keys)
    place = f"{release.namespace}.svc.cluster.local"
    postgres = {**VALUES["backendStore"]["postgres"], "host": f"postgres.{place}"}
    s3 = {**VALUES["artifactStore"]["s3"], "endpoint": f"http://seaweedfs.{place}:8333", "path": "second"}
    helm.install(
        namespace,
        {
            **VALUES,
            "replicaCount": 1,
            "backendStore": {"postgres": {**postgres, "cleanupRunsEnabled": True, "cleanupRunsDays": 30}},
            "artifactStore": {"s3": s3},
            "retention": {"resources": SMALL},
        },
        wait="300s",
    )
