"""What MLflow's own variables switch on, passed on by `mlflow.env`: archival, a read replica."""

import uuid
from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient

from runtime.jobs import JOBS, Runner
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.server import Server
from runtime.tasks import Env, Store
from runtime.traces import trace

ARCHIVAL = "trace_archival: {enabled: true, location: %s, retention: 1d, interval_seconds: 1}"


def test_old_traces_are_archived(
    start: Callable[..., Server], ready_database: Callable[[], Env], postgres: Postgres, s3: S3, home: Path
) -> None:
    """By the pod of background jobs, where the mounted file says. The server goes on showing them."""
    place = f"s3://mlflow/{uuid.uuid4().hex[:8]}"
    (home / "archival.yaml").write_text(ARCHIVAL % place)
    own = {**JOBS, "MLFLOW_TRACE_ARCHIVAL_CONFIG": str(home / "archival.yaml")}
    store = Store(postgres, s3, {**ready_database(), **s3.environment("plain"), **own})
    url = start(**store.env).ready().url
    old = trace(url)
    where = "SELECT value FROM trace_tags WHERE key = 'mlflow.trace.spansLocation'"
    assert store.query(where) == [("TRACKING_STORE",)]
    with Runner(home, store.env):
        wait_until("the archive", lambda: store.query(where) == [("ARCHIVE_REPO",)])
    assert len(store.objects(store.key(place))) == 1
    assert [span.name for span in MlflowClient(url).get_trace(old).data.spans] == ["answer"]


def test_a_replica_needs_no_password_of_its_own(
    start: Callable[..., Server], ready_database: Callable[[], Env], postgres: Postgres
) -> None:
    """Its address says what differs; libpq has the rest. A copy without replication shows which is asked."""
    primary = ready_database()
    name = f"{primary['PGDATABASE']}_replica"
    postgres.copy(primary, name)
    uri = f"postgresql+psycopg2://127.0.0.1/{name}"
    client = MlflowClient(start(**primary, MLFLOW_READ_REPLICA_BACKEND_STORE_URI=uri).ready().url)
    client.create_experiment("written")
    count = "SELECT count(*) FROM experiments WHERE name = 'written'"
    assert [postgres.query(count, each) for each in (primary["PGDATABASE"], name)] == [[(1,)], [(0,)]]
    assert client.search_experiments(filter_string="name = 'written'") == []
