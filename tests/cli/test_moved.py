"""Commands that moved from `mlflowops` to `testbed` name their new command, and do nothing."""

import pytest
from mlflowops.moved import MOVED
from testbed.cli import app
from typer.main import get_command

from cli.cli import Cli


@pytest.mark.parametrize(
    "words",
    [
        ("up", "--platform"),
        ("down",),
        ("cluster", "kubeconfig", "--name", "test"),
        ("images", "build"),
        ("tools", "--help"),
        ("platform", "prepare", "traefik"),
    ],
    ids=" ".join,
)
def test_the_new_command_is_named(cli: Cli, words: tuple[str, ...]) -> None:
    answer = cli(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err == (
        f"mlflowops: {words[0]}: this command moved to the test bed; type `testbed {' '.join(words)}`."
    )


def test_the_test_bed_has_each_of_them() -> None:
    assert set(MOVED) <= get_command(app).commands.keys()  # type: ignore[attr-defined]


def test_help_shows_none_of_them(cli: Cli) -> None:
    shown = {line.split()[1] for line in cli("--help").out.splitlines() if line.startswith("│ ")}
    assert "health" in shown
    assert not shown & set(MOVED)
