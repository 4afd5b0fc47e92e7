"""Start the MLflow server of the chart.

MLFLOW_KUBERNETES_LAUNCHER chooses how: `direct` (default) serves MLflow's own apps from one process tree,
`upstream` is plain `mlflow server`. Both read MLflow's usual environment variables, and
MLFLOW_KUBERNETES_APP_NAME, which stands for `--app-name` (MLflow has no variable for it).
"""

import gc
import os
import re
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from mlflow_kubernetes import command
from mlflow_kubernetes.stores.read_replica import use_read_replica

# They would change which clients the web server trusts or what it runs: removed, whatever sets them.
REMOVED_VARIABLES = re.compile(
    "FORWARDED_ALLOW_IPS|PROXY_ALLOW_FROM|SCRIPT_NAME|WEB_CONCURRENCY|NOTIFY_SOCKET|PORT|SENDFILE"
    "|(GUNICORN|UVICORN|LISTEN|FLASK|WERKZEUG|FASTAPI|STARLETTE|MLFLOW_ASSISTANT|MLFLOW_SANDBOX)_.*"
    "|MLFLOW_ENABLE_REMOTE_ASSISTANT|MLFLOW_ENABLE_ASSISTANT_SANDBOX"
    "|MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE|_MLFLOW_.*|MLFLOW_SERVER_PID"
)
# Checks of MLflow's login that must stay on.
REQUIRED_VARIABLES = ("MLFLOW_BASIC_AUTH_FAIL_CLOSED", "MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH")
# Below a path that begins like this, MLflow asks for no account or takes one route for another.
OPEN_PATHS = re.compile("/static|/favicon.ico|/health|/(ajax-)?api(/|$)")

_HELD = ExitStack()


def main() -> None:
    """Run the chosen launcher. It returns only when the process ends."""
    launchers = {"direct": direct, "upstream": upstream}
    name = os.environ.get("MLFLOW_KUBERNETES_LAUNCHER") or "direct"
    if name not in launchers:
        sys.exit(f"mlflow: MLFLOW_KUBERNETES_LAUNCHER: {name!r} is unknown; set direct or upstream.")
    sanitize_environment()
    from mlflow_kubernetes.server import auth, kubernetes_plugin, oidc_plugin

    auth.check_keys()
    hold_volume()
    use_read_replica(os.environ)
    if auth.enabled():
        auth.prepare(cache_seconds=0 if name == "direct" else auth.UPSTREAM_CACHE_SECONDS)
    if oidc_plugin.enabled():
        from mlflow_kubernetes.server import oidc

        oidc.prepare()
    if kubernetes_plugin.enabled():
        kubernetes_plugin.prepare()
    launchers[name]()


def hold_volume() -> None:
    """Keep restores away from SQLite's volume until this process ends, also as another program."""
    uri = os.environ.get("MLFLOW_BACKEND_STORE_URI", "")
    if uri.startswith("sqlite:"):
        from mlflow_kubernetes.log import logger
        from mlflow_kubernetes.stores.sqlite_volume import in_use

        log = logger("server")
        waiting = cache(lambda: log.info("waiting for the end of a restore."))
        use = in_use(Path(uri.partition(":///")[2]), waiting)
        os.set_inheritable(_HELD.enter_context(use), True)


def sanitize_environment() -> None:
    """Remove the ignored variables, and leave the check of host names to the gate instead of MLflow."""
    from mlflow_kubernetes.server.edge.limits import raise_file_limit

    prefix = os.environ.get("MLFLOW_STATIC_PREFIX", "")
    if OPEN_PATHS.match(prefix):
        sys.exit(f"mlflow: server: MLFLOW_STATIC_PREFIX: a login does not cover {prefix}; set another path.")
    for variable in REQUIRED_VARIABLES:
        if os.environ.get(variable, "true").lower() not in ("true", "1"):
            sys.exit(f"mlflow: server: {variable}: it must stay on; set it to true, or remove it.")
    for variable in filter(REMOVED_VARIABLES.fullmatch, list(os.environ)):
        del os.environ[variable]
    hosts = os.environ.get("MLFLOW_SERVER_ALLOWED_HOSTS")
    if hosts:
        os.environ["MLFLOW_KUBERNETES_HOSTS"] = hosts
    os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = f"{hosts or 'localhost'},*"
    raise_file_limit()


def direct() -> None:
    """Serve MLflow's apps from this process."""
    gc.disable()  # until the fork: collections during the imports take 0.3 s and free 1 MiB
    from mlflow_kubernetes.server.direct import serve

    serve()


def upstream() -> None:
    """Replace this process with `mlflow server`, with the gate around its app."""
    from mlflow_kubernetes.server import auth

    if auth.enabled():
        auth.bootstrap_in_subprocess()
    if ":" in os.environ.get("POD_IP", ""):  # uvicorn listens for one family
        os.environ["MLFLOW_HOST"] = "::"
    os.execv(sys.executable, command("upstream"))  # noqa: S606
