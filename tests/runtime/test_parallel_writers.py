"""Many writers of the same runs leave what one writer after another leaves."""

from collections.abc import Callable

from runtime.differential import Twin
from runtime.parallel import WRITERS, write
from runtime.postgres import Postgres
from runtime.server import Server
from runtime.test_fast_paths import CALLS, SEED, Env, new_run, rows

EACH = max(40, CALLS // 100)
RUNS = 3


def test_the_same_rows_as_one_after_another(
    start: Callable[..., Server], ready_database: Callable[[], Env], postgres: Postgres
) -> None:
    """MLflow's own server takes the calls one by one; ours all at once, with two workers and no error."""
    found = []
    for launcher, threads in (("upstream", 1), ("direct", WRITERS)):
        env = {"MLFLOW_KUBERNETES_LAUNCHER": launcher, "MLFLOW_WORKERS": "2", **ready_database()}
        server = start(**env).ready()
        runs = [new_run(server.url, run_name=f"run{number}") for number in range(RUNS)]
        assert write(server.url, SEED, runs, EACH, threads) == {200: EACH * WRITERS}, launcher
        named = "SELECT run_uuid FROM runs ORDER BY name"
        twin = Twin(server.url, ids=[run for (run,) in postgres.query(named, env["PGDATABASE"])])
        assert len(twin.ids) > RUNS + WRITERS, "writers created runs too"
        found.append(rows(env, twin))
    assert found[0] == found[1]
