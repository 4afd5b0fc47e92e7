"""Checks and syncs the Secrets that the External Secrets Operator makes for MLflow."""
