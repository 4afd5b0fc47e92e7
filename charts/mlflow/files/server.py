"""Start the MLflow server of the chart.

MLFLOW_KUBERNETES_LAUNCHER chooses how: `direct` (default) serves MLflow's own apps under gunicorn,
`upstream` is plain `mlflow server`. Both read MLflow's usual environment variables, and
MLFLOW_KUBERNETES_APP_NAME, which stands for `--app-name` (MLflow has no variable for it).
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    """Run the chosen launcher; it ends only with the process."""
    # Last on the path: a file of ours must never hide an installed module of the same name.
    sys.path[:] = [entry for entry in sys.path if entry != HERE] + [HERE]
    launchers = {"direct": direct, "upstream": upstream}
    name = os.environ.get("MLFLOW_KUBERNETES_LAUNCHER") or "direct"
    if name not in launchers:
        sys.exit(f"mlflow: MLFLOW_KUBERNETES_LAUNCHER: {name!r} is unknown; set direct or upstream.")
    import server_auth

    if server_auth.enabled():
        server_auth.prepare(cache_seconds=0 if name == "direct" else server_auth.UPSTREAM_CACHE_SECONDS)
    launchers[name]()


def direct() -> None:
    """Serve MLflow's apps from this process."""
    from server_direct import serve

    serve()


def upstream() -> None:
    """Become `mlflow server`."""
    import server_auth

    if server_auth.enabled():
        server_auth.bootstrap_apart()
    quiet = "" if os.environ.get("MLFLOW_KUBERNETES_ACCESS_LOG") == "true" else "--no-access-log"
    os.environ.setdefault("MLFLOW_UVICORN_OPTS", f"{quiet} --timeout-keep-alive 75".strip())
    app_name = os.environ.get("MLFLOW_KUBERNETES_APP_NAME")
    options = ["--app-name", app_name] if app_name else []
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *options])  # noqa: S606


if __name__ == "__main__":
    main()
