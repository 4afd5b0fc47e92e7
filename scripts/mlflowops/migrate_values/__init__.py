"""`mlflowops migrate-values`: values of another MLflow chart as values of this one."""
