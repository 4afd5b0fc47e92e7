"""MLflow's own basic-auth, as its documentation sets it up: an administrator, accounts in a file."""

from pathlib import Path

ADMIN = ("admin", "a long admin password")
FLASK_KEY = "a key of forms and cookies, for tests"
INI = """[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 300
"""


def settings(folder: Path, default_permission: str = "READ") -> dict[str, str]:
    """The variables of a server with a login, whose configuration is written into a folder."""
    ini = folder / "basic_auth.ini"
    ini.write_text(INI.replace("default_permission = READ", f"default_permission = {default_permission}"))
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(ini),
        "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": FLASK_KEY,
    }
