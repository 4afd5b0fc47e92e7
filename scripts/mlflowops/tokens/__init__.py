"""Personal tokens of accounts, on a server with `auth.mode: oidc`."""
