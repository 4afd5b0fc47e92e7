"""Shows that `SELECT DISTINCT` sorts every run of an experiment, with an index too.

Usage: search_distinct.py <database URL> [runs]

The statement is the one that MLflow sends; the other is the same without the word.
"""

import sys
import time

from mlflow.entities import ViewType
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import event

INDEX = (
    "CREATE INDEX new_index ON runs (experiment_id, lifecycle_stage, start_time DESC NULLS LAST, run_uuid)"
)
RUNS = """INSERT INTO runs (run_uuid, name, source_type, status, start_time, lifecycle_stage, artifact_uri,
                            experiment_id, user_id)
    SELECT md5(n::text), 'run', 'LOCAL', 'FINISHED', n, 'active', 'x', 0, 'u'
    FROM generate_series(1, %(count)s) n"""
ORDER = "ORDER BY runs.start_time DESC NULLS LAST, runs.run_uuid"


def main(url: str, count: int) -> None:
    store = SqlAlchemyStore(url, "artifacts")
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        run = connection.exec_driver_sql
        run(RUNS, {"count": count})
        run(INDEX)
        run("VACUUM ANALYZE runs")
        statement, values = search_statement(store)
        print(statement)
        own = statement.replace("SELECT DISTINCT", "SELECT")
        own = own[: own.index("ORDER BY")] + ORDER + own[own.index("\n LIMIT") :]
        slow, fast = (shown(run, text, values) for text in (statement, own))
    print("\nas sent:", slow, "without DISTINCT, in the order of the index:", fast, sep="\n")
    if "Sort" not in slow or "Sort" in fast:
        sys.exit("not reproduced")


def search_statement(store) -> tuple[str, object]:
    """What MLflow sends for the first page of an experiment."""
    sent = []

    def keep(_connection, _cursor, statement, values, *_more):
        sent.append((statement, values))

    event.listen(store.engine, "before_cursor_execute", keep)
    store.search_runs(["0"], "", ViewType.ACTIVE_ONLY, 100)
    event.remove(store.engine, "before_cursor_execute", keep)
    return next(each for each in sent if "SELECT DISTINCT" in each[0])


def shown(run, statement: str, values: object) -> str:
    start = time.perf_counter()
    run(statement, values).all()
    milliseconds = (time.perf_counter() - start) * 1000
    plan = "\n".join(row[0] for row in run(f"EXPLAIN (COSTS OFF) {statement}", values))
    return f"{milliseconds:.1f} ms\n{plan}"


main(sys.argv[1], int((sys.argv[2:] or ["100000"])[0]))
