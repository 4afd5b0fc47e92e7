"""What servers, databases and clusters say is shown as text: it does not control the terminal."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from uuid import uuid4

import pytest
from mlflow import MlflowClient
from mlflowops import console
from mlflowops.address import without_password
from mlflowops.errors import OpsError

from cli.cli import Cli
from cli.web import serving

# Title, clipboard, clear the screen (twice), back in the line, text backwards; then markup and an emoji.
HOSTILE = (
    "\x1b]0;title\x07 \x1b]52;c;cm0=\x07 \x1b[2J \x9b2J \r\x08\x7f \u202egnp.exe [red]x[/] [/nothing] :bomb:"
)


@contextmanager
def answering(code: int, body: str) -> Iterator[str]:
    """Run a server that always gives one answer; yield its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with serving(Answer) as address:
        yield address


def controls(text: str) -> set[str]:
    """The characters of a text that would control a terminal, less line ends and tabs."""
    codes = {*range(0x20), *range(0x7F, 0xA0), 0x202E} - {0x0A, 0x09}
    return {each for each in text if ord(each) in codes}


def test_names_of_runs_are_shown_as_they_are(cli: Cli, server: MlflowClient) -> None:
    experiment = f"names-{uuid4().hex[:6]}"
    run = server.create_run(server.create_experiment(experiment), run_name=HOSTILE).info.run_id
    server.log_metric(run, "f1", 1.0)
    server.log_param(run, "p", HOSTILE)
    answer = cli("best-run", experiment, "--metric", "f1")
    assert answer.code == 0, answer.err
    assert not controls(answer.out)
    shown = "".join(answer.out.split()).replace("│", "")
    assert all(part in shown for part in ("[red]", "[/nothing]", ":bomb:"))


@pytest.mark.parametrize("output", ["table", "json"])
def test_what_a_server_says_does_not_control_the_terminal(cli: Cli, output: str) -> None:
    with answering(500, HOSTILE) as address:
        answer = cli("health", "--url", address, "--output", output)
    assert answer.code == 1
    assert not controls(answer.out + answer.err)


def test_errors_and_steps_do_not_control_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(console.err, "_file", said)  # `file` would come back as the stream of this test
    with console.step(HOSTILE):
        console.err.print(str(OpsError(HOSTILE, "is wrong", "correct it")))
    console.err.print(console.clean(HOSTILE))
    assert not controls(said.getvalue())
    assert "[/nothing]" in said.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ana:secret@host:5000/x", "http://ana:...@host:5000/x"),
        ("postgresql://ana:se/cr@t#et@host/db", "postgresql://ana:...@host/db"),
        ("https://:secret@host is away", "https://:...@host is away"),
        ("http://host:5000 and ana@host", "http://host:5000 and ana@host"),
        ("wasbs://container@account/path", "wasbs://container@account/path"),
        ("models:/name@champion", "models:/name@champion"),
    ],
)
def test_a_password_of_an_address_is_not_shown(text: str, shown: str) -> None:
    assert without_password(text) == shown
    assert console.clean(text) == shown
    assert shown in str(OpsError(text, "wrong", "correct it"))


@pytest.mark.parametrize(
    "words",
    [
        ("best-run", "x", "--metric", "f1"),
        ("health", "--url", "http://ana:secret@127.0.0.1:9"),
        ("import", "http://ana:secret@127.0.0.1:9"),
        ("import", "postgresql://ana:secret@127.0.0.1/db"),
        ("import", "http://ana:secret@127.0.0.1:9", "--output", "json"),
    ],
)
def test_no_command_shows_a_password(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ana:secret@127.0.0.1:9")
    answer = cli(*words)
    assert answer.code
    assert "secret" not in answer.out + answer.err


def test_progress_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    what = "Building " + "long/" * 60 + "path"
    with console.step(what):
        pass
    began, ended = capsys.readouterr().err.splitlines()
    assert began == f"… {what}"
    assert ended.startswith(f"✓ {what} (")
