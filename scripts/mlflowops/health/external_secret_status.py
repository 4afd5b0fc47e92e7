"""Do the Secrets that an ExternalSecret makes arrive?"""

from mlflowops.external_kinds import GROUP, PLURALS, ready_condition, target_secret
from mlflowops.health.check import Check, green, red
from mlflowops.health.release import Release
from mlflowops.kube import Json, Reader


def checks(release: Release, reader: Reader) -> list[Check]:
    """One line, if External Secrets makes any Secret that the release reads."""
    ours = [
        each
        for each in reader.list_if_served(GROUP, PLURALS["ExternalSecret"])
        if belongs_to_release(each, release)
    ]
    return [evaluate(ours)] if ours else []


def belongs_to_release(external: Json, release: Release) -> bool:
    """Whether the server's pods read its Secret, or the chart made it for another pod: a backup's."""
    labels = external["metadata"].get("labels", {})
    return target_secret(external) in release.secrets or release.labels.items() <= labels.items()


def evaluate(found: list[Json]) -> Check:
    """The first that is not synced speaks for all."""
    for each in found:
        condition = ready_condition(each)
        if condition.get("status") != "True":
            name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
            why = condition.get("message") or "nobody has looked at it"
            fix = f"`mlflowops external-secrets --namespace {namespace}` follows its way and finds the cause"
            return red("external secrets", f"{name} is not synced: {why}", fix)
    oldest = min(each["status"].get("refreshTime") or "never" for each in found)
    return green("external secrets", f"{len(found)} synced, the oldest at {oldest}")
