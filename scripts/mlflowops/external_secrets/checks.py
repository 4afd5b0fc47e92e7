"""Checks the operator, its stores and ExternalSecrets, and the keys that pods read."""

from collections.abc import Iterator
from datetime import datetime, timezone

from mlflowops import external_kinds
from mlflowops.external_secrets.inventory import OPERATOR, Inventory, read_keys
from mlflowops.health.check import Check, green, red, unknown
from mlflowops.kube import Json, parse_time

INSTALL = "install the External Secrets Operator, on a laptop `make up PLATFORM=1`"
SYNC = "`mlflowops external-secrets sync -n {namespace}` asks again at once"
FIXES = (
    ("could not get secret data from provider", "does the vault have that entry, and may the store read it?"),
    ("does not exist", "does the vault have that entry, and may the store read it?"),
    ("not found", "does the vault have that entry, and may the store read it?"),
    ("store is not ready", "see the store's line"),
)
ANY_FIX = "`kubectl describe -n {namespace} externalsecret {name}`"


def checks(found: Inventory) -> Iterator[Check]:
    """Yield all checks, from the operator to the keys: the first red one causes those after it."""
    yield definitions(found)
    yield operator(found)
    if found.defined is False:
        return
    for (kind, name), store_ in found.stores.items():
        yield store(kind, name, store_, found.namespace)
    for each in found.external:
        yield external_secret(each, found.namespace)
    if not found.external:
        fix = "deploy MLflow with externalSecrets.enabled: true"
        yield unknown("ExternalSecrets", f"there is none in namespace {found.namespace!r}", fix)
    yield from secrets(found)


def definitions(found: Inventory) -> Check:
    """Check that the API server serves the operator's kinds."""
    name = external_kinds.GROUP
    if found.defined:
        return green("definitions", f"{name} is served")
    return red("definitions", f"{name} is not served by this cluster", INSTALL)


def operator(found: Inventory) -> Check:
    """Check that an operator is running."""
    if found.operators is None:
        fix = "use an account that may list Deployments of all namespaces"
        return unknown("operator", "may not look into other namespaces", fix)
    if not found.operators:
        return red("operator", f"no Deployment has the label {OPERATOR}", INSTALL)
    for each in found.operators:
        meta, status = each["metadata"], each.get("status", {})
        where = f"-n {meta['namespace']} deployment/{meta['name']}"
        if not status.get("availableReplicas"):
            fix = f"`kubectl describe {where}`; `kubectl logs {where}`"
            return red("operator", f"{meta['namespace']}/{meta['name']} is not available", fix)
    return green("operator", ", ".join(f"{e['metadata']['namespace']}/{e['metadata']['name']} runs"
                                       for e in found.operators))  # fmt: skip


def store(kind: str, name: str, found: Json | None, namespace: str) -> Check:
    """Check that a store is ready: the operator can log in to the vault."""
    line = f"store {name}"
    where = name if kind == "ClusterSecretStore" else f"-n {namespace} {name}"
    if found is None:
        fix = f"create the {kind}, or correct externalSecrets.secretStoreRef; see examples/external-secrets"
        return red(line, f"there is no {kind} of that name", fix)
    if "forbidden" in found:
        return unknown(line, f"may not read {kind}s", f"use an account that may get {kind}s")
    ready = external_kinds.ready_condition(found)
    if ready.get("status") == "True":
        return green(line, f"{kind} is ready: {ready.get('message') or ready.get('reason')}")
    message = ready.get("message") or "the operator has not looked at it yet"
    fix = f"correct its provider and credentials: `kubectl describe {kind.lower()} {where}`"
    return red(line, f"{kind} is not ready: {message}", fix)


def external_secret(found: Json, namespace: str) -> Check:
    """Check that an ExternalSecret is synced."""
    name = found["metadata"]["name"]
    ready = external_kinds.ready_condition(found)
    when = found.get("status", {}).get("refreshTime")
    if ready.get("status") == "True":
        every = found["spec"].get("refreshInterval", "1h")
        return green(name, f"{ready.get('message') or 'synced'}, {_age(when)}, every {every}")
    message = ready.get("message") or "the operator has not looked at it yet"
    lowered = message.lower()
    fix = next((fix for part, fix in FIXES if part in lowered), ANY_FIX)
    sync_hint = SYNC.format(namespace=namespace)
    return red(name, message, f"{fix.format(namespace=namespace, name=name)} then {sync_hint}")


def secrets(found: Inventory) -> Iterator[Check]:
    """Check that each Secret has the keys that pods read."""
    if found.secrets is None:
        yield unknown(
            "keys", f"may not read Secrets of {found.namespace}", "use an account that may get them"
        )
        return
    managed = {external_kinds.target_secret(each) for each in found.external}
    wanted: dict[str, set[str]] = {}
    for name, key in sorted(set().union(*(read_keys(pod) for pod in found.pods))):
        wanted.setdefault(name, set()).add(key)
    for name, keys in wanted.items():
        yield _keys(name, keys, found.secrets.get(name), name in managed)


def _keys(name: str, wanted: set[str], there: set[str] | None, managed: bool) -> Check:
    line = f"keys of {name}"
    listed = ", ".join(sorted(wanted - (there or set())))
    if not listed:
        return green(line, f"all that pods read: {', '.join(sorted(wanted))}")
    fix = "see its ExternalSecret above" if managed else "make it, or let the chart: externalSecrets.enabled"
    if there is None:
        return red(line, f"there is no Secret of that name; pods read {listed}", fix)
    where = "add them in the vault, or say where they are: externalSecrets.secrets" if managed else "add them"
    return red(line, f"pods read {listed}, which it lacks", where)


def _age(when: str | None) -> str:
    if not when:
        return "at an unknown time"
    seconds = int((datetime.now(timezone.utc) - parse_time(when)).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{max(seconds, 0)} s ago"
