"""The tracking server, and the runner of its background jobs."""
