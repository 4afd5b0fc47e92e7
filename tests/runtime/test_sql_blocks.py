"""SQL of the pages: real servers with MLflow's tables know its syntax, its columns and its functions."""

import re
from collections.abc import Callable, Iterator

import psycopg2
from psycopg2 import errorcodes
from repository.test_blocks import Block, of

from runtime.mariadb import MariaDB

# Roles and functions of a cloud or of a site do not exist here, nor do tables of a login that is off.
WRONG = {errorcodes.SYNTAX_ERROR, errorcodes.UNDEFINED_COLUMN, errorcodes.UNDEFINED_FUNCTION}
CLOUD = "pgaadauth_create_principal"


def statements(text: str) -> Iterator[str]:
    """The statements of a block, without comments."""
    for statement in re.sub(r"--[^\n]*", "", text).split(";"):
        if statement.strip():
            yield statement.strip()


@of("sql")
def test_postgres_understands_it(ready_database: Callable[[], dict[str, str]], block: Block) -> None:
    """Each statement alone, and rolled back."""
    place = ready_database()
    keys = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    where = {key: place[variable] for key, variable in keys.items()}
    wrong = {}
    for statement in statements(block.text):
        connection = psycopg2.connect(**where)
        try:
            connection.cursor().execute(statement)
        except psycopg2.Error as error:
            if error.pgcode in WRONG and not re.search(CLOUD, statement):
                wrong[statement] = str(error)
        finally:
            connection.rollback()
            connection.close()
    assert wrong == {}, block.where


@of("mysql")
def test_mariadb_runs_it(mariadb: MariaDB, block: Block) -> None:
    for statement in statements(block.text.replace("mlflow", "page")):
        mariadb.query(statement)
