"""Start a program of the package: `python <this folder> server`.

By its path and not with `-m`, which would import modules from the working folder before all others.
"""

import importlib
import os
import sys
from pathlib import Path

PROGRAMS = {
    "administrator": "server.auth",
    "backup": "tasks.backup.main",
    "check": "metrics.artifact_check",
    "copy": "tasks.copying.main",
    "jobs": "server.jobs",
    "metrics": "metrics.main",
    "query": "query.main",
    "restore": "tasks.restore.main",
    "retention": "tasks.retention.main",
    "schema": "schema.main",
    "server": "server.main",
    "upstream": "server.upstream",
    "volume-backup": "tasks.sqlite.volume_backup",
    "volume-restore": "tasks.sqlite.volume_restore",
}


def main() -> int:
    """Run the program that the first argument names; the others are its own."""
    package = Path(__file__).absolute().parent
    folder, home = str(package), str(package.parent)
    # Last on the path: a file of ours must never hide an installed module of the same name.
    sys.path[:] = [entry for entry in sys.path if entry not in (folder, home)] + [home]
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in PROGRAMS:
        sys.exit(f"mlflow: {name!r} is not a program of the chart; name one of {', '.join(PROGRAMS)}.")
    from mlflow_kubernetes.environment import check_environment
    from mlflow_kubernetes.log.setup import configure, log_exit
    from mlflow_kubernetes.stores.postgres_uri import apply_postgres_uri
    from mlflow_kubernetes.stores.token_file import keep_token_fresh

    configure()
    try:
        check_environment(name, os.environ)
        apply_postgres_uri(name, os.environ)
        keep_token_fresh(name, os.environ)
        ended: int | None = importlib.import_module(f"mlflow_kubernetes.{PROGRAMS[name]}").main()
    except SystemExit as end:
        return log_exit(end)
    return ended or 0


if __name__ == "__main__":
    sys.exit(main())
