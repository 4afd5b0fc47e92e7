"""The fast paths through PgBouncer in transaction mode: each statement may take another connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from runtime.differential import Twin, differences
from runtime.fallbacks import fallbacks
from runtime.parallel import WRITERS, write
from runtime.pooler import pgbouncer
from runtime.postgres import Postgres
from runtime.server import Server
from runtime.test_fast_paths import SEED, Env, new_run, rows

CONNECTIONS = 2


@pytest.fixture(scope="module")
def direct(ready_database: Callable[[], Env]) -> Env:
    """The way to the database past PgBouncer."""
    return ready_database()


@pytest.fixture(scope="module")
def pooled(direct: Env, start: Callable[..., Server]) -> Iterator[Server]:
    """A server whose database PgBouncer gives it, over fewer connections than it has threads."""
    with pgbouncer(direct, CONNECTIONS) as where:
        env = {"MLFLOW_KUBERNETES_LAUNCHER": "direct", "MLFLOW_EXPOSE_PROMETHEUS": "metrics"}
        yield start(**env, **where, PYTHONHASHSEED="0").ready()


def test_same_answers_and_same_rows(
    pooled: Server, direct: Env, start: Callable[..., Server], ready_database: Callable[[], Env]
) -> None:
    """As MLflow's own server, which is connected directly."""
    own = ready_database()
    plain = Twin(start(MLFLOW_KUBERNETES_LAUNCHER="upstream", PYTHONHASHSEED="0", **own).ready().url)
    fast = Twin(pooled.url)
    found = list(differences(plain, fast, SEED, 200))
    assert not found, "\n\n".join(found)
    assert rows(own, plain) == rows(direct, fast)


def test_more_writers_than_connections(pooled: Server, direct: Env, postgres: Postgres) -> None:
    """No writer gets an error, or is left to MLflow's own code; the pooler keeps to its connections."""
    before, runs = fallbacks(pooled), [new_run(pooled.url) for _ in range(3)]
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write, pooled.url, SEED, runs, 40, WRITERS)
        seen = {0}
        while wait([written], 0.1).not_done:
            seen.add(postgres.query(count, values=[direct["PGDATABASE"]])[0][0])
    assert written.result() == {200: 40 * WRITERS}
    assert fallbacks(pooled) == before
    assert max(seen) <= CONNECTIONS, "otherwise the calls would have gone past the pooler"
