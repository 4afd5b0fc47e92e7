"""What must hold for any values: they are refused in sentences, or mean in the objects what they say."""

import json
import re
from collections.abc import Iterator
from typing import Any

from render.chart import NEWEST, Json, Refused, _valid
from render.expansion import expanded, understood
from render.generate import AFTER, BEFORE
from render.hostile import render

SENTENCE = re.compile(r"mlflow: .+?: .+; .+\.")
# What Helm prints around sentences: where the template fails, and that a mapping lost to another type.
AROUND = re.compile(
    r"(?m)^(Error: execution error at \(mlflow/templates/_validate/first/validate\.yaml:\d+:\d+\): "
    r"|Use --debug flag to render out invalid YAML|level=\S+ msg=\"?warning: .*|)$"
)


def outcome(values: Json) -> str:
    """`refused` or `rendered`; AssertionError says what is wrong with either."""
    try:
        objects = render(values)
    except Refused as refusal:
        lines = [line for line in str(refusal).split("\n") if not AROUND.fullmatch(line)]
        assert lines and all(SENTENCE.fullmatch(line) for line in lines), str(refusal)
        return "refused"
    for item in objects:
        _valid(json.dumps(item), NEWEST)
    given = list(scalars(values))
    arrived(given, list(scalars([understood(item) for item in objects])))
    _variables(values, objects)
    return "rendered"


def arrived(given: list[Any], found: list[Any]) -> None:
    """Marked strings arrive whole, and no number turns into another notation."""
    marked = [each for each in given if isinstance(each, str) and BEFORE in each]
    text = "\0".join(map(str, given))
    for each in filter(lambda each: isinstance(each, str), found):
        rest = each
        for word in sorted(marked, key=len, reverse=True):
            rest = rest.replace(word, "")
        assert BEFORE not in rest and AFTER not in rest, each
        for number in re.findall(r"\b\d(?:\.\d+)?e[+-]\d+\b", each):
            assert number in text, each


def _variables(values: Json, objects: list[Json]) -> None:
    """A variable of the values has exactly its value in the server."""
    (server,) = [
        each
        for item in objects
        if item["kind"] == "Deployment"
        for each in expanded(item)["spec"]["template"]["spec"]["containers"]
        if each["name"] == "mlflow"
    ]
    found = {entry["name"]: entry.get("value") for entry in server["env"]}
    for name, value in ((values.get("mlflow") or {}).get("env") or {}).items():
        assert found[name] == (value if isinstance(value, str) else None), name


def scalars(node: Any) -> Iterator[Any]:
    """Every value and every key."""
    if isinstance(node, dict):
        for key, below in node.items():
            yield key
            yield from scalars(below)
    elif isinstance(node, list):
        for below in node:
            yield from scalars(below)
    else:
        yield node
