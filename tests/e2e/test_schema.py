"""The migration: many pods at once, on an empty, an old and a too new database."""

import pytest
import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

from e2e.helm import Helm
from e2e.kube import Kube, eventually
from e2e.stores import POSTGRES, Database, s3_client, shared_stores

SMALL = {"requests": {"cpu": "100m", "memory": "256Mi"}}


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_get_alembic_config("sqlite://"))


def _url(database: Database) -> str:
    host = database.kube.services.get("ml", "postgres")
    url = sqlalchemy.URL.create(
        "postgresql+psycopg2", database.name, database.password, host, 5432, database.name
    )
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("revisions_back", [None, 5], ids=["empty", "five-revisions-old"])
def test_five_pods_at_once(kube: Kube, helm: Helm, namespace: str, revisions_back: int | None) -> None:
    """Exactly one migrates, after a backup of what there is; all five become Ready, nothing restarts."""
    database = Database.create(kube, f"five_{revisions_back or 'empty'}")
    scripts = _scripts()
    if revisions_back:
        walk = list(scripts.walk_revisions())
        # MLflow's first revisions change tables that it made before it had revisions.
        InitialBase.metadata.create_all(sqlalchemy.create_engine(_url(database)))
        command.upgrade(_get_alembic_config(_url(database)), walk[revisions_back].revision)
        assert database.revision() == walk[revisions_back].revision
    values = {**shared_stores(kube, namespace, database), "replicaCount": 5, "mlflow": {"resources": SMALL}}
    values["backup"] = {"enabled": True, "beforeMigration": True, "image": POSTGRES, "resources": SMALL}
    helm.install(namespace, values, wait="")
    kube.wait_ready(namespace, 5, seconds=240)
    assert kube.restarts(namespace) == 0
    assert database.revision() == scripts.get_current_head()
    logs = [kube.logs(namespace, pod.metadata.name, "schema") for pod in kube.pods(namespace)]
    (migrated,) = [log for log in logs if "the database is migrated" in log]
    assert ("mlflow: backup: stored" in migrated) is bool(revisions_back), migrated
    stored = s3_client(kube).list_objects_v2(Bucket="mlflow", Prefix=f"backups/{namespace}/")
    assert stored["KeyCount"] == (3 if revisions_back else 0)


def test_newer_database_stops_new_pods_only(kube: Kube, helm: Helm, namespace: str) -> None:
    """Like `helm rollback` after an upgrade: new pods stop with a sentence, the running ones serve."""
    database = Database.create(kube, "newer")
    values = shared_stores(kube, namespace, database)
    helm.install(namespace, values)
    (serving,) = kube.pods(namespace)
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = 'feedfacecafe'")
    helm.install(namespace, {**values, "podAnnotations": {"roll": "1"}}, wait="")
    new = eventually(lambda: _other(kube, namespace, serving), 60, "a second pod")
    log = eventually(lambda: _finished_log(kube, namespace, new), 60, "the sentence of the migration")
    sentences = [line for line in log.splitlines() if "feedfacecafe" in line]
    assert len(sentences) == 1 and sentences[0].startswith("mlflow: "), log
    assert "Traceback" not in log
    assert [pod.metadata.uid for pod in kube.pods(namespace) if _ready(pod)] == [serving.metadata.uid]


def _other(kube: Kube, namespace: str, serving: object) -> str | None:
    names = [pod.metadata.name for pod in kube.pods(namespace)]
    return next((name for name in names if name != serving.metadata.name), None)  # type: ignore[attr-defined]


def _finished_log(kube: Kube, namespace: str, pod: str) -> str | None:
    log = kube.logs(namespace, pod, "schema")
    return log if "feedfacecafe" in log else None


def _ready(pod: object) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)  # type: ignore[attr-defined]
