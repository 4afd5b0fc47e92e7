"""Run MLflow on Kubernetes: tools, test cluster, health check and daily operations."""
