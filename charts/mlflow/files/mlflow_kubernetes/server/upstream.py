"""The upstream launcher: `mlflow server`, whose uvicorn gets our protocol, and whose app gets our gate.

As a program it runs MLflow's command line, which starts this program again, with uvicorn's arguments, in
place of uvicorn. The workers import `create` from here.
"""

import importlib
import os
import sys
from typing import Any

from mlflow_kubernetes import command

TARGET = "MLFLOW_KUBERNETES_UPSTREAM_APP"
# Last in the command, so that they override the options before them.
OPTIONS = [
    *("--http", "mlflow_kubernetes.server.edge.protocol:Protocol"),
    *("--ws", "none"),
    "--no-proxy-headers",
    "--no-server-header",
    "--no-access-log",  # the gate writes it
    "--factory",
    "mlflow_kubernetes.server.upstream:create",
]


def create() -> Any:
    """Return the app that `mlflow server` would serve, behind the gate."""
    from mlflow_kubernetes.log.setup import configure, format_handlers
    from mlflow_kubernetes.server import (
        artifact_paths,
        auth,
        kubernetes_plugin,
        oidc,
        oidc_permissions,
        oidc_plugin,
        one_value,
        replica_misses,
        sources,
        trace_writes,
        unavailable,
        workspace_bounds,
    )
    from mlflow_kubernetes.server.apps import limit_decompression
    from mlflow_kubernetes.server.audit.audit_log import open_audit_log
    from mlflow_kubernetes.server.compressed import compressed
    from mlflow_kubernetes.server.gate import Gate
    from mlflow_kubernetes.server.presigned import limit_parts, withhold_presigned_urls

    configure()  # a worker is a new process
    if oidc_plugin.enabled():
        sources.install()
        oidc_plugin.import_kinds()
        oidc_permissions.install()
    if kubernetes_plugin.enabled():
        sources.install()
        kubernetes_plugin.install()
    module, attribute = os.environ[TARGET].split(":")
    target = getattr(importlib.import_module(module), attribute.removesuffix("()"))
    if auth.enabled():
        auth.share_gateway_token()
        auth.harden()
    app = target() if attribute.endswith("()") else target
    limit_decompression()
    flask = importlib.import_module("mlflow.server").app
    replica_misses.install(flask)
    withhold_presigned_urls()
    limit_parts()
    artifact_paths.install()
    one_value.install(flask)
    trace_writes.install()
    workspace_bounds.install()
    unavailable.install(app, flask)
    format_handlers()
    served = oidc.wrap(app) if oidc_plugin.enabled() else app
    return Gate(compressed(served), open_audit_log(flask, app))


def main() -> None:
    """Run `mlflow server`, or, in the process that it starts, uvicorn."""
    if len(sys.argv) > 1:
        import uvicorn.main

        uvicorn.main.main(args=sys.argv[1:], prog_name="uvicorn")
        return
    import mlflow.cli
    import mlflow.server

    from mlflow_kubernetes.server import kubernetes_plugin, oidc_plugin

    if kubernetes_plugin.enabled():
        kubernetes_plugin.without_configs()
    if oidc_plugin.enabled():  # to find out that its app is an object, MLflow would import the plugin
        mlflow.server._is_factory = lambda _app: False
    start = mlflow.server._exec_cmd

    def start_ours(theirs: list[str], *, extra_env: dict[str, str], **more: Any) -> Any:
        options, app = theirs[theirs.index("uvicorn") + 1 : -1], theirs[-1]
        target = f"{app}()" if "--factory" in options else app
        return start(command("upstream", *options, *OPTIONS), extra_env={**extra_env, TARGET: target}, **more)

    mlflow.server._exec_cmd = start_ours
    os.environ.pop("MLFLOW_GUNICORN_OPTS", None)  # MLflow would start gunicorn, without our protocol
    os.environ["MLFLOW_UVICORN_OPTS"] = "--timeout-keep-alive 75"
    app_name = os.environ.get("MLFLOW_KUBERNETES_APP_NAME")
    mlflow.cli.server.main(["--app-name", app_name] if app_name else [])
