"""Every fenced block of a page names its language and is checked: commands, values, JSON and Python.

`text` and `console` mark output. ELSEWHERE names the tests of blocks in other languages.
"""

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testbed.cli
import typer
import yaml
from mlflowops.accounts import file as accounts_file
from mlflowops.cli import app as mlflowops
from mlflowops.migrate_values.tables import is_known
from mlflowops.paths import REPO

FENCE = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
OUTPUT = {"text", "console"}
# Languages without a check of their own here, and why.
ELSEWHERE = {
    "dockerfile": "no registry here has their bases; testbed/images builds the same from locked packages",
    "mermaid": "a picture",
    "mysql": "tests/runtime/test_sql_blocks.py runs it on MariaDB",
    "sql": "tests/runtime/test_sql_blocks.py runs it on PostgreSQL",
}
PROGRAMS = {
    "mlflowops": typer.main.get_command(mlflowops),
    "testbed": typer.main.get_command(testbed.cli.app),
}
PATHS = ("charts/", "docs/", "environments/", "examples/", "scripts/", "sizes/", "testbed/", "tests/")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page with the line, its language, its text."""

    where: str
    language: str
    text: str


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, without the indent that a list gives them."""
    for found in FENCE.finditer(text):
        indent, language, inside = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{page}:{line}", language, re.sub(rf"(?m)^{indent}", "", inside))


def _all() -> list[Block]:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=REPO, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if (REPO / name).is_file()]
    return [block for name in names for block in blocks_of(name, (REPO / name).read_text())]


BLOCKS = _all()


def of(*languages: str) -> pytest.MarkDecorator:
    """Parametrize a test with the blocks of a language."""
    chosen = [block for block in BLOCKS if block.language in languages]
    assert chosen, languages
    return pytest.mark.parametrize("block", chosen, ids=[block.where for block in chosen])


def commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command: a line, or a part of one between `|`, `&&` and `;`."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()")
        lexer.whitespace_split = True
        words: list[str] = []
        try:
            read = list(lexer)
        except ValueError:  # a quote that goes on in the next line
            continue
        for word in [*read, ";"]:
            if set(word) <= set("|&;()"):
                if words:
                    yield words
                words = []
            elif words or not re.fullmatch(r"\w+=.*", word):
                words.append(word)


def unknown_options(words: list[str]) -> list[str]:
    """The sub-commands and options of our programs that do not exist."""
    command: Any = PROGRAMS[words[0]]
    rest = words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        found = command.commands.get(rest[0])
        if found is None:
            return rest[:1]
        command, rest = found, rest[1:]
    if command.context_settings.get("ignore_unknown_options"):
        return []
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help", "--install-completion", "--show-completion"}
    given = {word.partition("=")[0] for word in rest if re.match("--?[a-zA-Z]", word)}
    return sorted(given - options)


def missing(words: list[str]) -> list[str]:
    """The targets of make and the files of this repository that do not exist."""
    targets = re.findall(r"(?m)^([a-z-]+):", (REPO / "Makefile").read_text())
    found = []
    if words[0] == "make":
        named = [word for word in words[1:] if re.fullmatch("[a-z-]+", word) and not word.startswith("-")]
        found = [word for word in named if word not in targets]
    for word in words:
        path = word.removeprefix("./")
        if path.startswith(PATHS) and not re.search(r"[<>*$…]", path) and not (REPO / path).exists():
            found.append(word)
    return found


@pytest.mark.parametrize("block", BLOCKS, ids=[block.where for block in BLOCKS])
def test_a_block_has_a_language_that_is_checked(block: Block) -> None:
    checked = {"bash", "json", "python", "yaml"} | OUTPUT | set(ELSEWHERE)
    assert block.language in checked, f"name the language of the block, or `text` for output: {block.where}"


@of("bash")
def test_commands_exist(block: Block) -> None:
    """Bash can read it; our commands, options, targets and files are there."""
    read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    # A place to fill in, such as <namespace>, is no redirection.
    if not re.search(r"<[\w ./]+>", block.text):
        assert read.returncode == 0, read.stderr
    wrong = [word for words in commands(block.text) for word in missing(words)]
    wrong += [w for words in commands(block.text) if words[0] in PROGRAMS for w in unknown_options(words)]
    assert wrong == [], block.where


@of("json")
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@of("python")
def test_python_compiles(block: Block) -> None:
    ast.parse(block.text)


def leaves(node: object, path: str) -> Iterator[str]:
    """The dotted keys of values, without those of labels and annotations."""
    if isinstance(node, dict) and node and not any("." in str(key) or "/" in str(key) for key in node):
        for key, below in node.items():
            yield from leaves(below, f"{path}.{key}" if path else str(key))
    else:
        yield path


@of("yaml")
def test_yaml_is_an_object_or_has_keys_of_the_chart(block: Block, tmp_path: Path) -> None:
    """An object has a kind. Values of another chart begin with its name, for `mlflowops migrate-values`.

    A file of accounts is read by `mlflowops accounts apply`.
    """
    if re.match(r"# (official|community|bitnami|kubeflow|opendatahub)\n", block.text):
        return
    if block.text.startswith("# accounts.yaml\n"):
        (tmp_path / "accounts.yaml").write_text(block.text)
        assert accounts_file.read(tmp_path / "accounts.yaml")
        return
    for document in yaml.safe_load_all(block.text):
        if not {"apiVersion", "kind"} <= set(document) and "stages" not in document:
            assert [path for path in leaves(document, "") if not is_known(path)] == [], block.where


def test_the_checks_can_fail() -> None:
    assert unknown_options(["mlflowops", "health", "--no-such-option"]) == ["--no-such-option"]
    assert unknown_options(["mlflowops", "no-such-command"]) == ["no-such-command"]
    assert missing(["make", "no-such-target"]) == ["no-such-target"]
    assert missing(["python", "examples/no_such_file.py"]) == ["examples/no_such_file.py"]
    assert list(commands("a=b helm x | kubectl apply -f - && make up")) == [
        ["helm", "x"], ["kubectl", "apply", "-f", "-"], ["make", "up"],
    ]  # fmt: skip
