"""The page docs/cli.md: every command and option of `mlflowops`, as Typer describes them.

`cd tests && ../.venv/bin/python -m repository.command_page` writes it.
"""

import os
import re
import subprocess
import sys

from mlflowops.moved import MOVED
from mlflowops.paths import REPO

PAGE = REPO / "docs/cli.md"
HEAD = """# Commands of mlflowops

Every command with its arguments and options; `mlflowops <command> --help` shows the same. Generated from the
program by `python -m repository.command_page`, in `tests/`. [Commands](commands.md) has those of every day.
"""


def described() -> str:
    """What Typer writes about the program."""
    command = [sys.executable, "-m", "typer", "mlflowops.cli", "utils", "docs", "--name", "mlflowops"]
    env = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def without_moved(text: str) -> str:
    """Leave out the commands that only name their new place."""
    text = re.sub(rf"(?m)^\* `({'|'.join(MOVED)})`: .*\n", "", text)
    sections = re.split(r"(?m)^(?=## )", text)
    return "".join(each for each in sections if not re.match(rf"## `mlflowops ({'|'.join(MOVED)})`", each))


def with_code(text: str) -> str:
    """Make code of the lines that are commands, and escape what is not code."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
        if not inside and line.startswith("mlflowops "):
            lines.append(f"    {line}")
        elif inside:
            lines.append(line)
        else:
            parts = line.split("`")
            lines.append("`".join(p if at % 2 else p.replace("<", "&lt;") for at, p in enumerate(parts)))
    return "\n".join(lines).rstrip() + "\n"


def page() -> str:
    """The head and what is described, without the first heading."""
    return f"{HEAD}\n{with_code(without_moved(described().partition(chr(10))[2]).lstrip())}"


if __name__ == "__main__":
    PAGE.write_text(page())
