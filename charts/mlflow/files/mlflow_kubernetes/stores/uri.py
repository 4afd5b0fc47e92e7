"""The URI of a database: checked, and parsed by SQLAlchemy as MLflow's own connections do.

One from a Secret holds a password. Nothing here repeats more of it than its scheme, and what a parser has
to say about it is not passed on, because it may quote any part.
"""

import os
from typing import Any, NoReturn

# Each with the driver that the images have; SQLAlchemy would look for another one.
DRIVERS = {"mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg2", "sqlite": "sqlite"}
FORM = "mysql+pymysql://<user>:<password>@<host>/<database> with user and password percent-encoded"


def database_kind(uri: str) -> str:
    """Its kind, a key of DRIVERS."""
    scheme = uri.partition("://")[0] if "://" in uri else ""
    kind = scheme.partition("+")[0]
    if kind not in DRIVERS:
        _refuse(f"{kind or 'no scheme'} is not supported", "mysql+pymysql://, or backendStore.postgres")
    if kind == "postgresql" and "@" in uri:
        _refuse("it is a URI of PostgreSQL", "backendStore.postgres.uriFromSecret instead")
    if scheme != DRIVERS[kind]:
        _refuse(f"{scheme}:// needs a driver that the image lacks", f"{DRIVERS[kind]}://")
    if kind == "mysql":
        pymysql_options(uri)
    return kind


def pymysql_options(uri: str) -> dict[str, Any]:
    """What SQLAlchemy gives to PyMySQL's `connect`, with the files for TLS that MLflow's variables name."""
    from sqlalchemy.engine import make_url

    if uri != uri.strip():
        _refuse("it begins or ends with a space or a line break", FORM)
    if uri.count("@") > 1:
        _refuse("it has more than one @, so the beginning of its host is not clear", FORM)
    try:
        url = make_url(uri)
    except Exception:  # its words may be a part of the password
        _refuse("it cannot be read", FORM)
    if not (url.host and url.database):
        _refuse("it names no host or no database", FORM)
    if not (url.password or "").isascii():
        _refuse("its password has more than ASCII, which PyMySQL sends wrongly", "another password")
    dialect = url.get_dialect()
    found: dict[str, Any] = dialect(dbapi=dialect.import_dbapi()).create_connect_args(url)[1]
    files = {
        name.lower(): os.environ.get(f"MLFLOW_MYSQL_{name}", "") for name in ("SSL_CA", "SSL_CERT", "SSL_KEY")
    }
    return {**found, **{name: file for name, file in files.items() if file}}


def connect_mysql(uri: str) -> Any:
    """A connection of PyMySQL, or its OperationalError."""
    import pymysql

    try:
        return pymysql.connect(**pymysql_options(uri))
    except (AttributeError, FileNotFoundError, TypeError, ValueError) as error:
        _refuse(
            f"an option behind the ? does not work ({error})",
            "an option that PyMySQL has, and files of the pod",
        )


def _refuse(wrong: str, instead: str) -> NoReturn:
    raise SystemExit(f"mlflow: schema: MLFLOW_BACKEND_STORE_URI: {wrong}; set {instead}.")
