"""The sentences of Python programs: what they end with or raise."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from repository.messages.message import Message, gap, literal

Values = dict[str, ast.expr]


def said(node: ast.expr, values: Values) -> str:
    """The Markdown of an expression; names stand for what the function assigned to them last."""
    if isinstance(node, ast.Constant):
        return literal(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(said(each, values) for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return said(node.value, values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return said(node.left, values) + said(node.right, values)
    if isinstance(node, ast.IfExp):
        return " or ".join(dict.fromkeys(said(each, values) for each in (node.body, node.orelse)))
    if isinstance(node, ast.BoolOp):
        return said(node.values[-1], values)
    if isinstance(node, ast.Name):
        found = values.get(node.id)
        rest = {key: value for key, value in values.items() if key != node.id}
        return said(found, rest) if _is_text(found) else gap(node.id)
    return gap(_name(node))


def _is_text(node: ast.expr | None) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) and _is_text(node.orelse)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name(node: ast.expr) -> str:
    """The word that says most about an expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return key if isinstance(key, str) else _name(node.value)
    if isinstance(node, ast.Call) and node.args:
        return _name(node.args[0])
    if isinstance(node, ast.Call):
        return _name(node.func.value if isinstance(node.func, ast.Attribute) else node.func)
    return node.id if isinstance(node, ast.Name) else "value"


def assigned(tree: ast.AST, before: int) -> Values:
    """The last value of each name before a line."""
    found: Values = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno < before:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = node.value
    return found


def calls(tree: ast.Module, names: set[str]) -> Iterator[tuple[ast.Call, Values]]:
    """The calls of these functions, with what was assigned before them in function and module."""
    top = {key: value for key, value in assigned(ast.Module(tree.body, []), 10**6).items() if key.isupper()}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _name(node.func) in names and node.args:
                yield node, top | assigned(function, node.lineno)


def of_pods(folder: Path) -> list[Message]:
    """What the programs in the pods end with, by the program."""
    found = set()
    for file in sorted(folder.rglob("*.py")):
        part = file.relative_to(folder).parts
        tree = ast.parse(file.read_text())
        for call, values in calls(tree, {"exit", "SystemExit", "TaskError", "SchemaError"}):
            if not _is_text(call.args[0]) and not isinstance(call.args[0], ast.Name):
                continue
            found |= {*_split(said(call.args[0], values), part[-2] if len(part) > 1 else "every program")}
    return sorted(found)


def _split(sentence: str, part: str) -> Iterator[Message]:
    """A sentence as `mlflow: <part>: <wrong>; <instead>.`, of which tasks leave out the beginning."""
    if re.fullmatch(r"\*\w+\*", sentence):
        return
    text = sentence.removeprefix("mlflow: ").removesuffix(".")
    begin, colon, rest = text.partition(": ")
    if colon and begin in ("check", "copy", "metrics", "schema", "server"):
        part, text = begin, rest
    wrong, _, instead = text.partition("; ")
    yield Message(part, wrong, instead or "see the lines of the log before it")


def of_command(folder: Path) -> list[Message]:
    """What `mlflowops` prints, by what it is about."""
    found = set()
    for file in sorted(folder.rglob("*.py")):
        for call, values in calls(ast.parse(file.read_text()), {"OpsError"}):
            found.add(Message(*(said(each, values) for each in call.args[:3])))
    return sorted(found)
