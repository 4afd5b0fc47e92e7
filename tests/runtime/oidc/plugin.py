"""The plugin beside the MLflow of these tests, from its image's lock file, and the settings of the chart."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from runtime.oidc.provider import CLIENT, SECRET, Provider
from testbed import locks, paths

LOCK = paths.BED / "images/mlflow-oidc/requirements.lock"
KEY = "a key of sessions and cookies, for tests"
GROUPS = [
    {"name": "blue", "pattern": "blue-", "permission": "MANAGE"},
    {"name": "red", "pattern": "shared-", "permission": "READ"},
]


def packages() -> Path:
    """Return the folder of the plugin and of what it needs beside MLflow's own packages."""
    folder = paths.cache("oidc-plugin", hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12])
    done = folder / "done"
    with locks.locked(folder / "lock", "another test installs the plugin"):
        if not done.exists():
            uv = Path(sys.executable).parent / "uv"
            words = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable]
            subprocess.run([uv, *words, "--requirement", LOCK, "--target", folder], check=True)
            done.touch()
    return folder


def settings(provider: Provider, **more: str) -> dict[str, str]:
    """The variables that the chart sets for `auth.mode: oidc`."""
    return {
        "PYTHONPATH": str(packages()),
        "MLFLOW_KUBERNETES_LAUNCHER": "upstream",
        "MLFLOW_KUBERNETES_APP_NAME": "oidc-auth",
        "MLFLOW_KUBERNETES_OIDC_GROUPS": json.dumps(GROUPS),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": KEY,
        "AUTOMATIC_LOGIN_REDIRECT": "true",
        "DEFAULT_LANDING_PAGE_IS_PERMISSIONS": "false",
        "DEFAULT_MLFLOW_PERMISSION": "NO_PERMISSIONS",
        "OIDC_ADMIN_GROUP_NAME": "operators",
        "OIDC_AUDIENCE": CLIENT,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_DISCOVERY_URL": f"{provider.issuer}/.well-known/openid-configuration",
        "OIDC_GROUPS_ATTRIBUTE": "groups",
        "OIDC_GROUP_NAME": "blue,red",
        "OIDC_ISSUER": provider.issuer,
        "OIDC_REDIRECT_URI": provider.callback,
        "OIDC_SCOPE": "openid email profile groups",
        "SESSION_COOKIE_MAX_AGE_SECONDS": "43200",
        "SESSION_COOKIE_SECURE": "false",
        **more,
    }
