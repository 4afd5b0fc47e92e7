"""The exception that leaves a call to MLflow's own code."""


class Unusual(Exception):
    """Carries the reason, one of a few words that the counter of fallbacks shows."""
