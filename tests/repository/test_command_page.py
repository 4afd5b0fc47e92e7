"""docs/cli.md has every command as it is."""

from mlflowops.cli import app
from typer.main import get_command

from repository import command_page


def test_the_page_is_generated() -> None:
    words = "run `cd tests && ../.venv/bin/python -m repository.command_page`"
    assert command_page.PAGE.read_text() == command_page.page(), words


def test_every_command_has_a_section() -> None:
    text = command_page.PAGE.read_text()
    commands = set(get_command(app).commands) - set(command_page.MOVED)  # type: ignore[attr-defined]
    assert {"health", "restore", "promote"} <= commands
    assert [name for name in commands if f"\n## `mlflowops {name}`\n" not in text] == []
    assert "Fail with the name of the new command" not in text


def test_commands_are_code_and_text_is_no_html() -> None:
    code = "```console\n$ mlflowops <a>\n```\n"
    shown = command_page.with_code(f"Do <it> with `x <y>`:\n\nmlflowops health <name>\n{code}")
    assert shown == f"Do &lt;it> with `x <y>`:\n\n    mlflowops health <name>\n{code}"
