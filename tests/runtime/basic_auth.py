"""MLflow's own basic-auth, as its documentation sets it up: an administrator, accounts in a file."""

ADMIN = ("admin", "a long admin password")
FLASK_KEY = "a key of forms and cookies, for tests"
INI = """[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 300
"""
