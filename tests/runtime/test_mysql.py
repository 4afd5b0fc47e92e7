"""A real MariaDB by its URI, for the migration and the exporter; test_upgrade.py has a server on it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pymysql
import pytest
from sqlalchemy.engine import make_url

from runtime.mariadb import PASSWORD, MariaDB, silent
from runtime.metrics import Metrics
from runtime.network import read_until
from runtime.revisions import HEAD
from runtime.server import FILES, environment, run
from runtime.test_metrics_stores import assert_filled, fill
from runtime.test_schema import schema

Env = dict[str, str]
SAYS = "mlflow: schema: "


@contextmanager
def connected(where: Env) -> Iterator[pymysql.Connection]:
    """As the account that MLflow has."""
    url = make_url(where["MLFLOW_BACKEND_STORE_URI"])
    place = {"host": url.host, "port": url.port, "database": url.database}
    with closing(pymysql.connect(**place, user=url.username, password=url.password)) as connection:
        yield connection


@contextmanager
def locked(where: Env) -> Iterator[None]:
    """Hold the lock that the step takes, whose name is in docs/databases.md."""
    with connected(where) as connection, connection.cursor() as cursor:
        # MariaDB may be about to notice that who held it has gone.
        cursor.execute("SELECT GET_LOCK(CONCAT('mlflow.', DATABASE()), 60)")
        assert cursor.fetchone() == (1,)
        yield


@pytest.fixture(scope="module")
def current(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Env:
    """A database that was empty when three pods came: one of them has migrated it, after all had to wait."""
    where = mariadb.database("current")
    with locked(where):
        pods = [run("schema", environment(tmp_path_factory.mktemp("schema"), **where)) for _ in range(3)]
        for pod in pods:
            read_until(pod, "another pod migrates the database; waiting for it.")
    outputs = [pod.communicate(timeout=600)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0] * 3, outputs
    assert sorted(output.splitlines()[-1] for output in outputs) == [
        *[f"{SAYS}another pod has migrated the database ({HEAD})."] * 2,
        f"{SAYS}the database is migrated ({HEAD}).",
    ]
    assert silent("".join(outputs))
    return where


def test_an_up_to_date_database_wants_no_lock(current: Env, home: Path) -> None:
    with locked(current):
        done = schema(home, **current)
    assert (done.returncode, done.stdout) == (0, f"{SAYS}the database is up to date ({HEAD}).\n")


def test_the_lock_outlasts_the_patience_of_the_server(
    mariadb: MariaDB, current: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is held by a connection that does nothing for as long as a migration takes."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.stores.database import connect

    database = connect(current["MLFLOW_BACKEND_STORE_URI"])
    mariadb.query("SET GLOBAL wait_timeout = 1")
    try:
        with database.lock(lambda: None):
            time.sleep(3)
            assert mariadb.query("SELECT IS_FREE_LOCK('mlflow.current')") == [(0,)]
    finally:
        mariadb.query("SET GLOBAL wait_timeout = 28800")


def test_a_newer_database_stops_the_new_pods(mariadb: MariaDB, current: Env, home: Path) -> None:
    change = "UPDATE alembic_version SET version_num = %s"
    mariadb.query(change, "current", ("fedcba987654",))
    try:
        done = schema(home, **current)
    finally:
        mariadb.query(change, "current", (HEAD,))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{SAYS}the database is at revision fedcba987654, which MLflow ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda url: url.set(password=PASSWORD[:-1]), "Access denied"),
        (lambda url: url.set(database="nobody"), "nobody"),
        (lambda url: url.set(port=1), "Connection refused"),
    ],
    ids=["password", "database", "port"],
)
def test_what_it_waits_for_is_one_line(
    mariadb: MariaDB, current: Env, home: Path, change: Callable[..., object], words: str
) -> None:
    uri = change(make_url(current["MLFLOW_BACKEND_STORE_URI"])).render_as_string(hide_password=False)  # type: ignore[attr-defined]
    wait = {"MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS": "1"}
    done = schema(home, MLFLOW_BACKEND_STORE_URI=uri, **wait)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1), done.stdout
    assert done.stdout.startswith(f"{SAYS}gave up after 1 s: ") and words in done.stdout
    assert silent(done.stdout) and PASSWORD[:-1] not in done.stdout


def test_a_migration_that_fails_says_that_mysql_keeps_the_half(mariadb: MariaDB, home: Path) -> None:
    where = mariadb.database("half")
    mariadb.query("CREATE TABLE metrics (run_uuid INT)", "half")  # not what the first revision expects
    done = schema(home, **where)
    assert done.returncode == 1
    last = "the migration failed; see the lines above, MySQL cannot undo the half of it: restore your backup"
    assert done.stdout.splitlines()[-1] == f"{SAYS}{last} (docs/upgrading.md)."
    assert silent(done.stdout)


def test_the_exporter_counts(current: Env, home: Path) -> None:
    fill(current["MLFLOW_BACKEND_STORE_URI"])
    metrics = Metrics(home, ("stores",), current).start().ready()
    assert_filled(metrics)
    page = metrics.page()
    assert page.sum("mlflow_database_connections", role="mlflow") >= 1
    assert page.sum("mlflow_database_connections_limit") == 200
    assert metrics.stop() == 0
    assert silent(metrics.log.read_text())


def test_counting_gives_up(current: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a table is locked its count fails, soon; the quick look does not even notice."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.metrics import database_metrics as counts
    from mlflow_kubernetes.stores.database import Unreachable, connect

    monkeypatch.setattr(counts, "QUERY_TIMEOUT_MS", 200)
    database = connect(current["MLFLOW_BACKEND_STORE_URI"])
    with connected(current) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES runs WRITE")
        with pytest.raises(Unreachable, match="max_statement_time"):
            list(counts.DatabaseInventory(database).collect())
        assert list(counts.DatabaseState(database, "any").collect())


REFUSED = {
    "mysql://u:s3cret@h/d": "mysql:// needs a driver that the image lacks; set mysql+pymysql://.",
    "mysql+mysqldb://u:s3cret@h/d": "mysql+mysqldb:// needs a driver",
    "mariadb+pymysql://u:s3cret@h/d": "mariadb is not supported; set mysql+pymysql://",
    "mssql+pymssql://u:s3cret@h/d": "mssql is not supported; set mysql+pymysql://",
    "postgresql://u:s3cret@h/d": "it is a URI of PostgreSQL; set backendStore.postgres.uriFromSecret",
    "mysql+pymysql://u:p@s3cret@h/d": "it has more than one @",
    "mysql+pymysql://u:s3cret/d": "it cannot be read; set mysql+pymysql://<user>:<password>@<host>/",
    "mysql+pymysql://u:s3cret@h/d?sslmode=require": "an option behind the ? does not work (",
    "mysql+pymysql://u:s3cret@h/d?ssl_ca=/nope": "an option behind the ? does not work (",
    "mysql+pymysql://u:s3cret@h/d\n": "it begins or ends with a space or a line break",
    "mysql+pymysql://u:s3cret@h": "it names no host or no database",
    "mysql+pymysql://u:s3cret@/d": "it names no host or no database",
    "mysql+pymysql://u:s3cret%C3%A9@h/d": "its password has more than ASCII",
    "u:s3cret@h/d": "no scheme is not supported",
}


@pytest.mark.parametrize("uri", REFUSED)
def test_a_uri_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.stores.database import connect

    with pytest.raises(SystemExit) as refusal:
        connect(uri).revision()
    words = str(refusal.value)
    assert words.startswith(f"{SAYS}MLFLOW_BACKEND_STORE_URI: {REFUSED[uri]}")
    assert "s3cret" not in words


def test_the_variables_for_tls_count_for_the_charts_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they do for MLflow's own connections: the certificate authority that they name must be there."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.stores.uri import connect_mysql, pymysql_options

    uri = "mysql+pymysql://u:s3cret@127.0.0.1/d"
    assert "ssl_ca" not in pymysql_options(uri)
    for name in ("SSL_CA", "SSL_CERT", "SSL_KEY"):
        monkeypatch.setenv(f"MLFLOW_MYSQL_{name}", f"/nowhere/{name}")
    assert pymysql_options(uri)["ssl_key"] == "/nowhere/SSL_KEY"
    with pytest.raises(SystemExit, match="No such file"):
        connect_mysql(uri)
