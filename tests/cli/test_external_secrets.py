"""What `mlflowops external-secrets` makes of the objects' own words; tests/e2e asks a real operator."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from mlflowops.external_secrets import checks
from mlflowops.external_secrets.inventory import Inventory
from mlflowops.kube import Json

READY = {"type": "Ready", "status": "True", "reason": "Valid", "message": "store validated"}
STORE = {"status": {"conditions": [READY]}}
NAME = "mlflow-postgres-secret"


def operator(available: int = 1) -> Json:
    name = {"name": "external-secrets", "namespace": "external-secrets"}
    return {"metadata": name, "status": {"availableReplicas": available}}


def external(ready: str = "True", message: str = "secret synced", **ago: float) -> Json:
    when = (datetime.now(timezone.utc) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Ready", "status": ready, "message": message}
    return {
        "metadata": {"name": NAME},
        "spec": {"secretStoreRef": {"name": "vault"}, "refreshInterval": "1h"},
        "status": {"conditions": [condition], "refreshTime": when},
    }


def pod(*keys: str, optional: bool = False) -> Json:
    """A pod template that reads keys: the last from a volume, the others as variables."""
    *variables, file = keys
    env = [
        {"name": "X", "valueFrom": {"secretKeyRef": {"name": NAME, "key": key, "optional": optional}}}
        for key in variables
    ]
    volume = {
        "name": "v",
        "secret": {"secretName": NAME, "items": [{"key": file, "path": "f"}], "optional": optional},
    }
    return {"spec": {"containers": [{"env": env}], "volumes": [volume]}}


def found(**more: Any) -> Inventory:
    """All is well, but for what the test says."""
    well: Json = {
        "namespace": "ml",
        "defined": True,
        "operators": [operator()],
        "external": [external(minutes=5)],
        "stores": {("SecretStore", "vault"): STORE},
        "secrets": {NAME: {"password", "ca.crt"}},
        "pods": [pod("password", "ca.crt")],
    }
    return Inventory(**{**well, **more})


def lines(**more: Any) -> dict[str, tuple[str, str, str]]:
    return {line.name: (line.status, line.detail, line.fix) for line in checks.checks(found(**more))}


def test_all_is_well() -> None:
    told = lines()
    assert {status for status, _, _ in told.values()} == {"ok"}
    assert told[NAME][1] == "secret synced, 5 min ago, every 1h"
    assert told[f"keys of {NAME}"][1] == "all that pods read: ca.crt, password"


DENIED = external("False", "could not get secret data from provider")
UNREADY = {"status": {"conditions": [{**READY, "status": "False", "message": "permission denied"}]}}
TROUBLE: dict[str, tuple[Json, str, str, str]] = {
    "not installed": ({"defined": False}, "definitions", "is not served by this cluster", "PLATFORM=1"),
    "no operator": ({"operators": []}, "operator", "no Deployment has the label", "PLATFORM=1"),
    "operator down": ({"operators": [operator(0)]}, "operator", "is not available", "kubectl logs"),
    "no store": ({"stores": {("SecretStore", "vault"): None}}, "store vault", "no SecretStore", "create the"),
    "store refused": (
        {"stores": {("ClusterSecretStore", "vault"): UNREADY}},
        "store vault",
        "permission denied",
        "kubectl describe clustersecretstore vault",
    ),
    "not in the vault": ({"external": [DENIED]}, NAME, "could not get", "does the vault have that entry"),
    "something else": (
        {"external": [external("False", "boom")]},
        NAME,
        "boom",
        f"kubectl describe -n ml externalsecret {NAME}",
    ),
    "no Secret": ({"secrets": {NAME: None}}, f"keys of {NAME}", "there is no Secret", "ExternalSecret above"),
    "no such key": (
        {"secrets": {NAME: {"password"}}},
        f"keys of {NAME}",
        "pods read ca.crt, which it lacks",
        "externalSecrets.secrets",
    ),
    "made by nobody": (
        {"external": [], "secrets": {NAME: None}},
        f"keys of {NAME}",
        "there is no Secret",
        "externalSecrets.enabled",
    ),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_says_what_to_do(trouble: str) -> None:
    more, line, detail, fix = TROUBLE[trouble]
    status, said, advice = lines(**more)[line]
    assert (status, detail in said, fix in advice) == ("red", True, True), (said, advice)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"operators": None}, "operator"),
        ({"secrets": None}, "keys"),
        ({"stores": {("SecretStore", "vault"): {"forbidden": True}}}, "store vault"),
        ({"external": []}, "ExternalSecrets"),
    ],
)
def test_what_nobody_may_see_is_unknown(more: Json, line: str) -> None:
    status, _, fix = lines(**more)[line]
    assert (status, bool(fix)) == ("unknown", True)


def test_optional_keys_may_be_missing() -> None:
    assert f"keys of {NAME}" not in lines(pods=[pod("a", "b", optional=True)], secrets={})


@pytest.mark.parametrize(
    ("ago", "words"),
    [({"seconds": 3}, "3 s ago"), ({"hours": 3}, "3 h ago"), ({"days": 4}, "4 d ago")],
)
def test_the_age_of_a_value(ago: dict[str, float], words: str) -> None:
    assert words in lines(external=[external(**ago)])[NAME][1]
