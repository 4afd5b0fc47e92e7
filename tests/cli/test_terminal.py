"""What a person sees: colours and tables on a terminal, plain text in a file."""

import os
import pty
import re
import subprocess
import sys

import pytest
from runtime.network import free_port

ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")
COLUMNS = 100


def on_terminal(*words: str) -> str:
    """All that a command writes to a terminal of COLUMNS columns, with its escape sequences."""
    master, slave = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": "50", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "mlflowops", *words]
    process = subprocess.Popen(command, stdout=slave, stderr=slave, env={**os.environ, **size})
    os.close(slave)
    said = b""
    try:
        while chunk := os.read(master, 65536):
            said += chunk
    except OSError:  # how Linux says that the last writer has left
        pass
    finally:
        os.close(master)
        process.wait(60)
    return said.decode()


def plain(text: str) -> list[str]:
    return ESCAPE.sub("", text).replace("\r", "").splitlines()


def styles(text: str, word: str) -> set[str]:
    """The colours that stand before a word."""
    return {found.group(1) for found in re.finditer(rf"\x1b\[([0-9;]*)m{word}", text)}


def test_a_healthy_report_is_a_table_with_green_marks(tracking_server: str) -> None:
    seen = on_terminal("health", "--url", tracking_server)
    lines = [line.strip() for line in plain(seen)]
    assert styles(seen, "ok") == {"32"}
    assert any(re.fullmatch(r"│ ok\s+│ health\s+│ http://\S+ answers in \d+ ms\s+│", line) for line in lines)
    assert "Checking" in seen
    assert "\x1b[?25h" in seen, "the cursor is back after the spinner"


def test_a_red_line_says_what_to_do() -> None:
    seen = on_terminal("health", "--url", f"http://127.0.0.1:{free_port()}")
    assert styles(seen, "RED") == {"1;31"}
    assert styles(seen, "→ is the URL right") == {"1"}
    table = [line for line in plain(seen) if line[:1] in "│┏┡└"]
    assert len(table) > 4
    assert {len(line) for line in table} == {len(table[0])}, "long words are wrapped inside their cell"
    assert len(table[0]) <= COLUMNS


def test_no_color_is_honoured(tracking_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not styles(on_terminal("health", "--url", tracking_server), "ok") & {"32", "31"}


def test_a_file_gets_plain_text(tracking_server: str) -> None:
    command = [sys.executable, "-m", "mlflowops", "health", "--url", tracking_server]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "│ ok │ health" in done.stdout
    assert "Checking" not in done.stdout, "progress is on stderr"


def test_watch_looks_again_until_interrupted(tracking_server: str) -> None:
    # A shell's background jobs, such as a test run of a CI, ignore SIGINT, and their children inherit that.
    interruptible = ["env", "--default-signal=INT"]
    health = [sys.executable, "-m", "mlflowops", "health", "--url", tracking_server]
    command = [*interruptible, *health, "--watch", "--interval", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    heads = 0
    for line in process.stdout:
        heads += line.startswith("┏")
        if heads == 3:
            break
    process.send_signal(2)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said
