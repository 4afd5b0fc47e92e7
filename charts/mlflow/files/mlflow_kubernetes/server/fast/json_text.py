"""JSON as MLflow writes it: two spaces for each level, which Python's fast encoder cannot do."""

from json.encoder import encode_basestring_ascii as quoted
from typing import Any

ITEM = "\n    "


def write(value: Any, margin: str = "\n") -> str:
    """Return the JSON text of a value.

    Args:
        value: Dictionaries, whose keys are names of fields, lists, strings, integers and finite floats.
        margin: A line break and the spaces before the closing bracket.
    """
    if isinstance(value, str):
        return quoted(value)
    if not isinstance(value, (dict, list)):
        return repr(value)
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    inner = margin + "  "
    between = "," + inner
    if isinstance(value, dict):
        parts = [
            f'"{name}": {quoted(each) if isinstance(each, str) else write(each, inner)}'
            for name, each in value.items()
        ]
        return f"{{{inner}{between.join(parts)}{margin}}}"
    return f"[{inner}{between.join([write(each, inner) for each in value])}{margin}]"


def write_page(name: str, texts: list[str], token: str | None) -> str:
    """Return the JSON text of a page.

    Args:
        name: The field that holds the items.
        texts: The items, written with ITEM as their margin.
        token: That of the next page, if there is one.
    """
    parts = [f'"{name}": [{ITEM}' + f",{ITEM}".join(texts) + "\n  ]"] if texts else []
    if token:
        parts.append(f'"next_page_token": {quoted(token)}')
    return "{\n  " + ",\n  ".join(parts) + "\n}" if parts else "{}"


def pairs(rows: list[Any], key: str = "key", value: str = "value") -> list[dict[str, Any]]:
    """Return what MLflow writes for keys and their values. A value that is NULL is left out."""
    return [{key: name, value: text} if text is not None else {key: name} for name, text in rows]
