"""Do the Secrets that an ExternalSecret makes arrive?"""

from mlflowops.health.check import Check, green, red
from mlflowops.health.objects import Json, Objects
from mlflowops.health.release import Release

KIND = ("external-secrets.io/v1", "externalsecrets")


def checks(release: Release, objects: Objects) -> list[Check]:
    """One line, if External Secrets makes any Secret that the server's pods read."""
    ours = [each for each in objects.all(*KIND) if _target(each) in release.secrets]
    return [judge(ours)] if ours else []


def judge(found: list[Json]) -> Check:
    """The first that is not synced speaks for all."""
    for each in found:
        ready = _ready(each)
        if ready.get("status") != "True":
            name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
            said = ready.get("message") or "nobody has looked at it"
            fix = f"`mlflowops external-secrets --namespace {namespace}` follows its way and finds the cause"
            return red("external secrets", f"{name} is not synced: {said}", fix)
    oldest = min(each["status"].get("refreshTime") or "never" for each in found)
    return green("external secrets", f"{len(found)} synced, the oldest at {oldest}")


def _target(external: Json) -> str:
    """The Secret that it makes."""
    return str(external["spec"].get("target", {}).get("name") or external["metadata"]["name"])


def _ready(external: Json) -> Json:
    conditions: list[Json] = external.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})
