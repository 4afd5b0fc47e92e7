"""Runs other programs; no other module of the package does."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlflowops.errors import OpsError


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    stdin: str | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed.

    `env` is added to the current environment. With `log`, output is appended to that file instead of
    being returned. A failure raises OpsError with the last lines of the output, unless `check` is off.
    """
    words = [str(word) for word in command]
    full_env = {**os.environ, **(env or {})}
    try:
        if log is not None:
            with log.open("a") as sink:
                done = subprocess.run(
                    words,
                    cwd=cwd,
                    env=full_env,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    input=stdin,
                    text=True,
                )
        else:
            done = subprocess.run(words, cwd=cwd, env=full_env, capture_output=True, input=stdin, text=True)
    except FileNotFoundError as error:
        raise OpsError(words[0], "the program is not installed", "run `make tools` or install it") from error
    if check and done.returncode:
        raise OpsError(
            " ".join(words[:3]), f"exit {done.returncode}: {_tail(done, log)}", "see the lines above"
        )
    return done


def _tail(done: subprocess.CompletedProcess[str], log: Path | None, lines: int = 12) -> str:
    text = log.read_text(errors="replace") if log else (done.stderr or done.stdout or "")
    return "\n".join(text.strip().splitlines()[-lines:])
