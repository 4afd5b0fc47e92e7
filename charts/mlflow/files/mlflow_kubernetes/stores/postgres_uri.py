"""A PostgreSQL URI from a Secret, taken apart into libpq's variables, which all programs of a pod read.

A command of `kubectl exec` has the environment of the pod only. For it the same goes into libpq's service
file, which PGSERVICEFILE and PGSERVICE name there. The URI holds a password: nothing here repeats a part of
it but the names of libpq's own options.
"""

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from mlflow_kubernetes.private_file import write_private

VARIABLE = "MLFLOW_KUBERNETES_POSTGRES_URI"
FORM = "postgresql://<user>:<password>@<host>:<port>/<database> with user and password percent-encoded"
# What a URI says about the place and the login. What it leaves out comes from nowhere else.
PLACE = {
    "dbname": "PGDATABASE",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "password": "PGPASSWORD",
    "port": "PGPORT",
    "user": "PGUSER",
}
# Options behind the `?`, as far as libpq reads them from a variable too.
OPTIONS = {
    **{
        name: f"PG{name.upper()}"
        for name in ("options", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslmode")
    },
    **{name: f"PG{name.upper()}" for name in ("sslnegotiation", "sslrootcert", "sslsni", "gssencmode")},
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "passfile": "PGPASSFILE",
    "require_auth": "PGREQUIREAUTH",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcertmode": "PGSSLCERTMODE",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def apply_postgres_uri(program: str, env: MutableMapping[str, str]) -> None:
    """Replace the URI in the environment by libpq's variables; exit with a sentence if it cannot be used."""
    uri = env.pop(VARIABLE, None)
    if uri is None:
        return
    try:
        found = checked_options(uri.strip())
    except ValueError as error:
        raise SystemExit(
            f"mlflow: {program}: the URI of backendStore.postgres.uriFromSecret: {error}"
        ) from None
    file, service = env.pop("PGSERVICEFILE", ""), env.pop("PGSERVICE", "")
    if file:
        _write_service(Path(file), service, found)
    for variable in PLACE.values():
        env.pop(variable, None)
    env.update({{**PLACE, **OPTIONS}[name]: value for name, value in found.items()})


def _write_service(file: Path, service: str, found: Mapping[str, str]) -> None:
    """Write the options as a service of that name, without those that a line of the file cannot hold."""
    lines = [
        f"{name}={value}" for name, value in found.items() if value.isprintable() and value == value.strip()
    ]
    write_private(file, "\n".join([f"[{service}]", *lines, ""]))


def checked_options(uri: str) -> dict[str, str]:
    """Return libpq's options of a URI; a ValueError ends a sentence, and repeats no part of the URI."""
    parts = _parse(uri)
    unknown = sorted(set(parts) - {*PLACE, *OPTIONS})
    if unknown:
        raise ValueError(f"PostgreSQL's programs would not obey option {unknown[0]}; remove it.")
    # An @ or / of the password that is not encoded ends up here, where libpq's errors repeat it.
    misplaced = "@" in parts.get("host", "") + parts.get("dbname", "")
    if misplaced or not re.fullmatch(r"[0-9,]*", parts.get("port", "")):
        raise ValueError(f"its host, port or database is none; write it as {FORM}.")
    missing = [name for name in ("host", "dbname", "user") if not parts.get(name)]
    if missing:
        raise ValueError(f"it has no {missing[0]}; write it as {FORM}.")
    return parts


def _parse(uri: str) -> dict[str, str]:
    """As libpq does; a driver of SQLAlchemy in the scheme is left out."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    scheme = re.match(r"postgres(?:ql)?(?:\+[a-z0-9_]+)?://", uri)
    if not scheme:
        raise ValueError(f"it does not begin with postgresql://; write it as {FORM}.")
    try:
        found: dict[str, str] = parse_dsn("postgresql://" + uri[scheme.end() :])
    except psycopg2.Error:  # its words may be a part of the password
        raise ValueError(f"it cannot be read; write it as {FORM}.") from None
    return found
