"""The health check: is this MLflow well, and if not, what to do about it."""
