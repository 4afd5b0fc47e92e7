"""A hot standby of PostgreSQL for the server's reads, by libpq's list of hosts.

libpq tries the hosts of a list one after the other, for each connection. So the replica stands before the
primary, which answers while no replica does, without code of ours in the way of a request.
"""

from collections.abc import Mapping, MutableMapping
from urllib.parse import urlencode

HOST = "MLFLOW_KUBERNETES_READ_REPLICA_HOST"
PORT = "MLFLOW_KUBERNETES_READ_REPLICA_PORT"
# PGTARGETSESSIONATTRS may say that the primary has to take writes, which a standby does not. The second one
# ends a connection to a node that is gone after 10 s instead of 15 minutes.
OPTIONS = {"target_session_attrs": "any", "tcp_user_timeout": "10000"}


def use_read_replica(env: MutableMapping[str, str]) -> None:
    """Set MLflow's own variable, if the chart names a replica. The password stays in libpq's variable."""
    if env.get(HOST):
        hosts, ports = env["PGHOST"].split(","), (env.get("PGPORT") or "5432").split(",")
        all_ports = ports * len(hosts) if len(ports) == 1 else ports
        address = env.get("PGHOSTADDR")  # of the primary; it would count for the replica too
        uri = _uri([env[HOST], *hosts], [env[PORT], *all_ports], f",{address}" if address else "")
        env["MLFLOW_READ_REPLICA_BACKEND_STORE_URI"] = uri


def replica_uri(env: Mapping[str, str]) -> str:
    """Return the URI of the replica alone, empty if the chart names none."""
    return _uri([env[HOST]], [env[PORT]], "") if env.get(HOST) else ""


def _uri(hosts: list[str], ports: list[str], addresses: str) -> str:
    options = {"host": ",".join(hosts), "port": ",".join(ports), "hostaddr": addresses, **OPTIONS}
    return f"postgresql+psycopg2://?{urlencode(options, safe=',:')}"
