"""Shows that a batch is refused with 400 when other calls write two of its new metrics at the same time.

MLflow repeats a batch that lost one such race, once. Usage: concurrent_batches.py <database URL>
"""

import sys
import threading
import time
from contextlib import ExitStack

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

KEYS = ("accuracy", "loss")
# What log_batch of another client has written, and will commit in a moment.
OTHER = """INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
    VALUES (%(key)s, 1, 1, 1, false, %(run)s)"""
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND %(blocker)s = ANY(pg_blocking_pids(pid))"""


def main(url: str) -> None:
    store = SqlAlchemyStore(url, "artifacts")
    run = store.create_run("0", "u", 1, [], "a run").info.run_id
    found: list[MlflowException] = []

    def log() -> None:
        try:
            store.log_batch(run, [Metric(key, 2, 2, 2) for key in KEYS], [], [])
        except MlflowException as error:
            found.append(error)

    with ExitStack() as stack:
        others = [stack.enter_context(store.engine.connect()) for _ in KEYS]
        for key, other in zip(KEYS, others, strict=True):
            other.exec_driver_sql(OTHER, {"key": key, "run": run})
        batch = threading.Thread(target=log)
        batch.start()
        for other in others:
            commit_when_awaited(store, other, batch)
        batch.join()
    print(*(f"{each.get_http_status_code()} {each.error_code}: {each.message[:200]}" for each in found))
    if not found or "UniqueViolation" not in found[0].message:
        sys.exit("not reproduced")


def commit_when_awaited(store, other, batch: threading.Thread) -> None:
    blocker = {"blocker": other.connection.driver_connection.info.backend_pid}
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as observer:
        while batch.is_alive() and not observer.exec_driver_sql(WAITING, blocker).scalar():
            time.sleep(0.05)
    other.commit()


main(sys.argv[1])
