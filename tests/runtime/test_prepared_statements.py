"""The fast paths prepare statements where PostgreSQL itself answers, and nowhere else."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine

from runtime.pooler import pgbouncer
from runtime.server import FILES

TEXT = "SELECT %(number)s::int + %(more)s::int, %(number)s::text"
PREPARED = "SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements"


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart's Python."""
    monkeypatch.syspath_prepend(str(FILES))


@pytest.fixture(scope="module")
def where(database: Callable[[], dict[str, str]]) -> dict[str, str]:
    """An empty database."""
    return database()


def open_engine(where: dict[str, str]) -> Engine:
    """As MLflow opens it, with one connection."""
    from mlflow_kubernetes.server.fast import ping

    user, password = where["PGUSER"], where["PGPASSWORD"]
    place = (where["PGHOST"], int(where["PGPORT"]), where["PGDATABASE"])
    engine = create_engine(
        URL.create("postgresql+psycopg2", user, password, *place), pool_size=1, max_overflow=0
    )
    ping.install(SimpleNamespace(engine=engine, read_engine=None))
    return engine


@pytest.fixture
def engine(where: dict[str, str]) -> Iterator[Engine]:
    """An engine that is connected directly."""
    found = open_engine(where)
    yield found
    found.dispose()


def read(engine: Engine, statement: str, values: Any, **more: bool) -> list[Any]:
    from mlflow_kubernetes.server.fast.statements import fetch

    found: list[Any] = fetch(engine, statement, values, **more)
    return found


def ask(engine: Engine, number: int) -> None:
    assert read(engine, TEXT, {"number": number, "more": 1}, prepare=True) == [(number + 1, str(number))]


def prepared(engine: Engine) -> Any:
    """How many statements the only connection has prepared, and how often they were used."""
    ((count, uses),) = read(engine, PREPARED, [])
    return count, uses and int(uses)


def test_a_statement_is_prepared_once(engine: Engine) -> None:
    for number in range(20):
        ask(engine, number)
    assert prepared(engine) == (1, 20)


def test_a_plan_is_made_again(engine: Engine) -> None:
    """The one for small tables must not stay while they grow."""
    from mlflow_kubernetes.server.fast.prepared import USES

    for number in range(USES + 5):
        ask(engine, number)
    count, uses = prepared(engine)
    assert count == 1 and uses < USES


def test_lost_statements_are_prepared_again(engine: Engine) -> None:
    """After DEALLOCATE ALL the next call is repeated without them."""
    ask(engine, 1)
    read(engine, "DISCARD PLANS; DEALLOCATE ALL; SELECT 1", [])
    ask(engine, 2)
    assert prepared(engine)[0] == 0
    ask(engine, 3)
    assert prepared(engine)[0] == 1


def test_nothing_is_prepared_behind_a_pooler(where: dict[str, str]) -> None:
    with pgbouncer(where, 1) as pooled:
        engine = open_engine(pooled)
        for number in range(5):
            ask(engine, number)
        assert prepared(engine) == (0, None)
        engine.dispose()
