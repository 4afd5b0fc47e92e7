"""Values for what lets clients in: an Ingress, an HTTPRoute, a NetworkPolicy."""

from typing import Any

from render.chart import Json


def ingress(*hosts: str, path: Json | None = None, **more: Any) -> Json:
    """Values for an Ingress with these hosts, each with the same path."""
    listed = [{"host": host, "paths": [path or {"path": "/"}]} for host in hosts]
    return {"ingress": {"enabled": True, "hosts": listed, **more}}


def route(**more: Any) -> Json:
    """Values for an HTTPRoute, the least that is legal and more."""
    least = {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["mlflow.example.com"]}
    return {"httpRoute": {**least, **more}}


def policy(**more: Any) -> Json:
    """Values for a NetworkPolicy."""
    return {"networkPolicy": {"enabled": True, **more}}
