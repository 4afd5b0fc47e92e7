"""Shows that a search reads every run of the table, and what an index changes.

Usage: runs_index.py <database URL> [runs]
"""

import sys
import time

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

PAGE = """SELECT run_uuid FROM runs WHERE experiment_id = 0 AND lifecycle_stage = 'active'
    ORDER BY start_time DESC NULLS LAST, run_uuid LIMIT 100"""
INDEX = (
    "CREATE INDEX new_index ON runs (experiment_id, lifecycle_stage, start_time DESC NULLS LAST, run_uuid)"
)
RUNS = """INSERT INTO runs (run_uuid, name, source_type, status, start_time, lifecycle_stage, artifact_uri,
                            experiment_id, user_id)
    SELECT md5(n::text), 'run', 'LOCAL', 'FINISHED', n, 'active', 'x', 0, 'u'
    FROM generate_series(1, %(count)s) n"""


def main(url: str, count: int) -> None:
    engine = SqlAlchemyStore(url, "artifacts").engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        run = connection.exec_driver_sql
        run(RUNS, {"count": count})
        run("VACUUM ANALYZE runs")
        keys = [row[0] for row in run("SELECT indexname FROM pg_indexes WHERE tablename = 'runs'")]
        seen = [shown(run, count)]
        run(INDEX)
        seen.append(shown(run, count))
    print(f"indexes of runs: {keys}", *seen, sep="\n")
    if len(keys) > 1 or "Seq Scan on runs" not in seen[0] or "new_index" not in seen[1]:
        sys.exit("not reproduced")


def shown(run, count: int) -> str:
    start = time.perf_counter()
    run(PAGE).all()
    milliseconds = (time.perf_counter() - start) * 1000
    plan = "\n".join(row[0] for row in run(f"EXPLAIN (COSTS OFF) {PAGE}"))
    return f"a page of 100 of {count} runs: {milliseconds:.1f} ms\n{plan}"


main(sys.argv[1], int((sys.argv[2:] or ["100000"])[0]))
