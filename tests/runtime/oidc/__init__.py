"""The server with the plugin mlflow-oidc-auth, and a real OpenID provider: dex."""
