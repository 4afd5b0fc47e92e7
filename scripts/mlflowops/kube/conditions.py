"""The list `status.conditions` of an object."""

from typing import Any

Json = dict[str, Any]


def condition(item: Json, kind: str) -> Json:
    """Return the condition of one type, or an empty mapping if the object has none."""
    conditions: list[Json] = item.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def true_conditions(item: Json) -> set[str]:
    """Return the types of the conditions whose status is True."""
    conditions: list[Json] = item.get("status", {}).get("conditions", [])
    return {each["type"] for each in conditions if each["status"] == "True"}
