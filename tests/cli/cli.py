"""Calls the command line the way its entry point does."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from mlflowops import cli as mlflowops

from testbed import cli as testbed

COMMANDS = {"mlflowops": mlflowops.main, "testbed": testbed.main}


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


class Cli:
    """Runs commands of this process: as real as a new process, without importing mlflow again."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str = "mlflowops"
    ) -> None:
        self._name = name
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: object) -> Answer:
        self._monkeypatch.setattr("sys.argv", [self._name, *map(str, words)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            COMMANDS[self._name]()
        code = end.value.code
        out, err = self._capsys.readouterr()
        # A table or a message may be wrapped: tests look for words, not for lines.
        return Answer(code if isinstance(code, int) else 0, out, " ".join(err.split()))
