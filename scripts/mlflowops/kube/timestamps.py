"""Timestamps of the Kubernetes API."""

from datetime import datetime


def parse_time(text: str) -> datetime:
    """Parse a timestamp of the API; Python 3.10 does not know the suffix Z for UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
