"""MLflow's own `server` command as set-up for our launcher and the jobs runner."""

import os
from typing import Any

from mlflow_kubernetes.log.setup import format_handlers


class _WouldStart(Exception):
    """Carries the environment that `mlflow server` was about to give to its web server."""


def prepare(app_name: str) -> None:
    """Run MLflow's own command line up to the point where it starts a web server, and take over there.

    Its checks, its defaults, the opening of its stores and the account of basic-auth's administrator stay
    MLflow's own code, in every version.
    """
    import mlflow.cli
    import mlflow.server

    format_handlers()

    def take_over(_command: list[str], *, extra_env: dict[str, str], **_: Any) -> None:
        raise _WouldStart(extra_env)

    start = mlflow.server._exec_cmd
    mlflow.server._exec_cmd = take_over
    try:
        mlflow.cli.server.main(["--app-name", app_name] if app_name else [], standalone_mode=False)
    except _WouldStart as would_start:
        os.environ.update(would_start.args[0])
    finally:
        mlflow.server._exec_cmd = start
