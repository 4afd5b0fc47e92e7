"""Run MLflow on Kubernetes: health check, backup, promotion and daily operations."""
