"""The health check of a release: one line per check, with advice on each failed one."""
