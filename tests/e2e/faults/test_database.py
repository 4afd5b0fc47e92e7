"""Faults of PostgreSQL. No server pod restarts: that would not help."""

import time

import pytest

from e2e.faults.host_processes import frozen, node_of_machine, of_container
from e2e.faults.outcome import Outcome
from e2e.faults.place import first_node
from e2e.faults.postgres import POD, Postgres
from e2e.faults.release import Release

SECONDS = 20


@pytest.fixture
def postgres(release: Release) -> Postgres:
    return Postgres(release.kube, release.namespace)


def served_on(outcome: Outcome) -> None:
    """No server restarts, and what is refused is answered 503, which MLflow's client repeats."""
    assert outcome.restarts == 0
    assert set(outcome.refused) == {"503"}


@pytest.mark.nightly
def test_postgresql_restarts(release: Release, postgres: Postgres) -> None:
    served_on(release.under_load("PostgreSQL restarts", postgres.restart))


@pytest.mark.nightly
def test_postgresql_is_stopped(release: Release, postgres: Postgres) -> None:
    served_on(release.under_load("PostgreSQL is stopped for 60 s", lambda: postgres.stop_for(60)))


@pytest.mark.nightly
def test_postgresql_is_frozen_for_20_s(release: Release) -> None:
    outcome = freeze(release, 20)
    assert outcome.restarts == 0
    assert not outcome.refused, "the answers wait"


@pytest.mark.nightly
def test_postgresql_is_frozen_for_60_s(release: Release) -> None:
    outcome = freeze(release, 60)
    assert outcome.restarts == 0
    assert set(outcome.refused) <= {"503", "no answer"}


def freeze(release: Release, seconds: int) -> Outcome:
    """None of PostgreSQL's processes runs for that long."""
    node_of_machine(first_node(release.kube))

    def happen() -> None:
        with frozen(lambda: of_container(release.kube, release.namespace, POD, "postgres")):
            time.sleep(seconds)

    return release.under_load(f"PostgreSQL is frozen for {seconds} s", happen)


@pytest.mark.nightly
def test_connections_are_cut(release: Release, postgres: Postgres) -> None:
    outcome = release.under_load(
        f"Connections to PostgreSQL are cut, in statements and commits too, for {SECONDS} s",
        lambda: postgres.cut(SECONDS, 0.3),
    )
    served_on(outcome)


@pytest.mark.nightly
def test_others_take_all_connections(release: Release, postgres: Postgres) -> None:
    outcome = release.under_load(
        f"PostgreSQL has no connection left for {SECONDS} s", lambda: postgres.take_connections(SECONDS)
    )
    served_on(outcome)


@pytest.mark.nightly
def test_postgresql_is_read_only(release: Release, postgres: Postgres) -> None:
    def happen() -> None:
        with postgres.read_only():
            time.sleep(SECONDS)

    served_on(release.under_load(f"PostgreSQL is read-only for {SECONDS} s", happen))


@pytest.mark.nightly
def test_the_disk_of_postgresql_is_full(release: Release, postgres: Postgres) -> None:
    def happen() -> None:
        with postgres.full_disk():
            time.sleep(SECONDS)

    with postgres.on_small_disk():
        served_on(release.under_load(f"The disk of PostgreSQL's tables is full for {SECONDS} s", happen))
