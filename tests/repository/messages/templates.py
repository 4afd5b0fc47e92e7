"""The sentences of the chart's templates: each `dict` of them that has `wrong` and `instead`."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from repository.messages.message import Message, gap, literal

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[()|]|\{\{-?|-?\}\}|[^\s()|"]+')
COMMENT = re.compile(r"\{\{-? */\*.*?\*/ *-?\}\}", re.DOTALL)
VERB = re.compile(r"%[sdvq]")
Tree = str | list[Any]


def parsed(tokens: list[str], at: int) -> tuple[list[Tree], int]:
    """The expressions from a place to the end of its parentheses, pipe or braces."""
    found: list[Tree] = []
    while at < len(tokens) and tokens[at] not in (")", "|") and not tokens[at].endswith("}}"):
        if tokens[at] == "(":
            inside, at = parsed(tokens, at + 1)
            while tokens[at] == "|":
                more, at = parsed(tokens, at + 1)
                inside = [*more, inside]
            found.append(inside)
        else:
            found.append(tokens[at])
        at += 1
    return found, at


def said(tree: Tree) -> str:
    """The Markdown of an expression."""
    if isinstance(tree, str):
        return literal(json.loads(tree)) if tree.startswith('"') else gap(tree.split(".")[-1].lstrip("$"))
    function, *arguments = tree
    if function == "printf":
        return formatted(json.loads(str(arguments[0])), [said(each) for each in arguments[1:]])
    if function == "ternary":
        texts = [text for text in map(said, arguments[:2]) if text]
        return texts[0] if len(texts) == 1 else gap(texts[1])
    if function == "include":
        return gap(str(arguments[0]).strip('"').split(".")[-1])
    names = [said(each) for each in arguments if not str(each).startswith('"')]
    return names[-1] if names and names[-1].startswith("*") else gap("value")


def formatted(text: str, arguments: list[str]) -> str:
    """What printf makes; `%q` puts quotes around it."""
    values = iter(arguments)
    parts = VERB.split(text)
    verbs = VERB.findall(text)
    out = literal(parts[0])
    for verb, part in zip(verbs, parts[1:], strict=True):
        value = next(values)
        out += (f'"{value}"' if verb == "%q" else value) + literal(part)
    return out.replace("%%", "%")


def of_template(text: str) -> Iterator[Message]:
    """The sentences of one file."""
    tokens = TOKEN.findall(COMMENT.sub("", text))
    for at, token in enumerate(tokens):
        if token != "dict":
            continue
        arguments, _ = parsed(tokens, at + 1)
        named = {
            str(key).strip('"'): value for key, value in zip(arguments[::2], arguments[1::2], strict=False)
        }
        if {"wrong", "instead"} <= named.keys() and named["wrong"] != ".wrong":
            what = said(named["path"]) if "path" in named else gap("key")
            instead = said(named["instead"])
            yield Message(
                re.sub(r"\*(at|path)\*", gap("key"), what),
                said(named["wrong"]).replace(gap("at"), gap("value")),
                gap("advice") if instead in (gap("instead"), gap("value")) else instead,
            )


def of_variables(file: Path) -> Iterator[Message]:
    """The sentences about variables that are refused."""
    for each in yaml.safe_load(file.read_text()):
        for name in chain.from_iterable(map(spelled_out, each["names"])):
            yield Message(f"mlflow.env.{name}", literal(each["wrong"]), literal(each["instead"]))


def spelled_out(pattern: str) -> list[str]:
    """The names that a regular expression with one group matches."""
    before, group, after = re.fullmatch(r"([^(]*)(?:\((.*)\))?([^)]*)", pattern).groups()  # type: ignore[union-attr]
    names = [before + choice + after for choice in group.split("|")] if group else [pattern]
    return [name.replace(".*", gap("name")) for name in names]


def of_chart(folder: Path) -> list[Message]:
    """All sentences of a chart, without repetition."""
    files = sorted(folder.glob("templates/**/*.tpl"))
    found = {message for file in files for message in of_template(file.read_text())}
    return sorted(found | {*of_variables(folder / "validation/env-refused.yaml")})
