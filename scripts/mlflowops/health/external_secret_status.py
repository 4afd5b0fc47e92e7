"""Checks that the ExternalSecrets of the release are synced."""

from mlflowops.external_kinds import GROUP, PLURALS, ready_condition, target_secret
from mlflowops.health.check import Check, green, red
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader


def checks(release: Release, reader: Reader) -> list[Check]:
    """Return one check, if the release reads a Secret of an ExternalSecret."""
    ours = [
        each
        for each in reader.list_if_served(GROUP, PLURALS["ExternalSecret"])
        if belongs_to_release(each, release)
    ]
    return [evaluate(ours)] if ours else []


def belongs_to_release(external: Json, release: Release) -> bool:
    """Return whether the server's pods read its Secret, or the chart made it for other pods."""
    labels = external["metadata"].get("labels", {})
    return target_secret(external) in release.secrets or release.labels.items() <= labels.items()


def evaluate(found: list[Json]) -> Check:
    """Return the check of the first that is not synced, else one for all."""
    for each in found:
        condition = ready_condition(each)
        if condition.get("status") != "True":
            name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
            why = condition.get("message") or "no controller has processed it"
            fix = f"`mlflowops external-secrets --namespace {namespace}` follows its way and finds the cause"
            return red("external secrets", f"{name} is not synced: {why}", fix)
    oldest = min(each["status"].get("refreshTime") or "never" for each in found)
    return green("external secrets", f"{len(found)} synced, the oldest at {oldest}")
