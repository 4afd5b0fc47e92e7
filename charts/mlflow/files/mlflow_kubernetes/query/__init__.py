"""Questions of `mlflowops` that only a pod can answer."""
